package container

import (
	"encoding/json"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// configFile is config.json as far as this runtime fills it in. Package json gets ready for all that a type can contain
// before it reads or writes the first of it, and the whole specification, which knows Windows, Solaris and virtual
// machines, would cost every command a millisecond and a half.
type configFile struct {
	Version     string            `json:"ociVersion"`
	Process     *specs.Process    `json:"process,omitempty"`
	Root        *specs.Root       `json:"root,omitempty"`
	Hostname    string            `json:"hostname,omitempty"`
	Domainname  string            `json:"domainname,omitempty"`
	Mounts      []specs.Mount     `json:"mounts,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Linux       *configLinux      `json:"linux,omitempty"`
}

type configLinux struct {
	UIDMappings   []specs.LinuxIDMapping `json:"uidMappings,omitempty"`
	GIDMappings   []specs.LinuxIDMapping `json:"gidMappings,omitempty"`
	Sysctl        map[string]string      `json:"sysctl,omitempty"`
	Resources     *specs.LinuxResources  `json:"resources,omitempty"`
	CgroupsPath   string                 `json:"cgroupsPath,omitempty"`
	Namespaces    []specs.LinuxNamespace `json:"namespaces,omitempty"`
	Devices       []specs.LinuxDevice    `json:"devices,omitempty"`
	MaskedPaths   []string               `json:"maskedPaths,omitempty"`
	ReadonlyPaths []string               `json:"readonlyPaths,omitempty"`
}

// encodeConfig writes what makeSpec has made.
func encodeConfig(s *specs.Spec) ([]byte, error) {
	l := s.Linux
	return json.Marshal(configFile{
		s.Version, s.Process, s.Root, s.Hostname, s.Domainname, s.Mounts, s.Annotations,
		&configLinux{l.UIDMappings, l.GIDMappings, l.Sysctl, l.Resources, l.CgroupsPath, l.Namespaces, l.Devices, l.MaskedPaths, l.ReadonlyPaths},
	})
}

// decodeConfig reads what encodeConfig has written.
func decodeConfig(data []byte) (*specs.Spec, error) {
	c := configFile{Linux: &configLinux{}}
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, err
	}
	l := c.Linux
	return &specs.Spec{
		Version: c.Version, Process: c.Process, Root: c.Root, Hostname: c.Hostname, Domainname: c.Domainname, Mounts: c.Mounts, Annotations: c.Annotations,
		Linux: &specs.Linux{
			UIDMappings: l.UIDMappings, GIDMappings: l.GIDMappings, Sysctl: l.Sysctl, Resources: l.Resources, CgroupsPath: l.CgroupsPath,
			Namespaces: l.Namespaces, Devices: l.Devices, MaskedPaths: l.MaskedPaths, ReadonlyPaths: l.ReadonlyPaths,
		},
	}, nil
}
