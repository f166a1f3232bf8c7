package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Docker's config.json is shared with other programs and edited by hand. So what is not ours in it stays as it is, in its
// order, also what we do not know.

// object is a JSON object whose members keep their order.
type object struct {
	names  []string
	values map[string]json.RawMessage
}

// UnmarshalJSON reads the members one by one.
func (o *object) UnmarshalJSON(data []byte) error {
	o.names, o.values = nil, map[string]json.RawMessage{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return errors.Join(errors.New("not a JSON object"), err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		o.put(name.(string), value) // a member's name is a string, or Token would have failed
	}
	_, err := decoder.Token()
	return err
}

// MarshalJSON writes the members in their order.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b.Write(quoted)
		b.WriteByte(':')
		b.Write(o.values[name])
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (o *object) put(name string, value json.RawMessage) {
	if _, known := o.values[name]; !known {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

func (o *object) set(name string, value any) error {
	data, err := json.Marshal(value)
	if err == nil {
		o.put(name, data)
	}
	return err
}

func (o *object) delete(is func(name string) bool) {
	o.names = slices.DeleteFunc(o.names, func(name string) bool {
		if is(name) {
			delete(o.values, name)
			return true
		}
		return false
	})
}

// changeAuths rewrites the file's "auths".
func (c *Client) changeAuths(change func(*object) error) error {
	path := c.ConfigFile()
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link to a file kept elsewhere stays one
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(bytes.TrimSpace(data)) == 0 {
		data, err = []byte("{}"), nil
	}
	if err != nil {
		return err
	}
	file, auths := &object{}, &object{values: map[string]json.RawMessage{}}
	if err := json.Unmarshal(data, file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if old, ok := file.values["auths"]; ok && string(old) != "null" {
		if err := json.Unmarshal(old, auths); err != nil {
			return fmt.Errorf("%s: auths: %w", path, err)
		}
	}
	if err := change(auths); err != nil {
		return err
	}
	if err := file.set("auths", auths); err != nil {
		return err
	}
	if data, err = json.MarshalIndent(file, "", "\t"); err != nil {
		return err
	}
	return replacePrivate(path, append(data, '\n'), true)
}

// replacePrivate writes a file whole, for its owner's eyes only: a reader sees the old one or the new. If it is durable,
// that holds for who comes after a power cut, too.
func replacePrivate(path string, content []byte, durable bool) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails once it has been renamed
	_, err = file.Write(content)
	if durable && err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
