package registry

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sandbox/kernel"
)

// How long to wait for an answer that does not come. A registry that has got a large blob may be checking it for a while.
const (
	dialTimeout   = 15 * time.Second
	answerTimeout = 3 * time.Minute
	stallTimeout  = time.Minute // in the middle of a transfer
)

const bufferSize = 1 << 17 // of a connection, each way: fewer system calls than with Go's 4 KiB

// transport makes the connections to one host.
func (c *Client) transport(host string, insecure bool) (http.RoundTripper, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure}
	if err := c.loadCertificates(config, host); err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	var t http.RoundTripper = &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: config, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: answerTimeout, IdleConnTimeout: time.Minute,
		MaxIdleConnsPerHost: 2 * atOnce, ReadBufferSize: bufferSize, WriteBufferSize: bufferSize, DisableCompression: true,
	}
	if c.o.Note != nil {
		t = &explainer{next: t, note: c.o.Note}
	}
	return t, nil
}

// loadCertificates reads what Docker reads: in DIR/HOST, *.crt are authorities, NAME.cert and NAME.key our own certificate.
func (c *Client) loadCertificates(config *tls.Config, host string) error {
	for _, dir := range c.o.CertDirs {
		files, err := os.ReadDir(filepath.Join(dir, host))
		if err != nil {
			continue // none for this host
		}
		for _, file := range files {
			if err := loadCertificate(config, filepath.Join(dir, host, file.Name())); err != nil {
				return kernel.Advise(err, "the registry's certificates are in %s: *.crt, or *.cert with *.key", filepath.Join(dir, host))
			}
		}
	}
	return nil
}

func loadCertificate(config *tls.Config, path string) error {
	switch filepath.Ext(path) {
	case ".crt":
		if config.RootCAs == nil {
			pool, err := x509.SystemCertPool()
			if err != nil {
				pool = x509.NewCertPool()
			}
			config.RootCAs = pool
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !config.RootCAs.AppendCertsFromPEM(data) {
			return fmt.Errorf("%s has no certificate in it", path)
		}
		config.InsecureSkipVerify = false // whoever gives an authority wants it to be asked
	case ".cert":
		pair, err := tls.LoadX509KeyPair(path, strings.TrimSuffix(path, ".cert")+".key")
		if err != nil {
			return err
		}
		config.Certificates = append(config.Certificates, pair)
	}
	return nil
}
