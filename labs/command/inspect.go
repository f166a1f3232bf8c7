package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	"sandbox/kernel"
)

// Inspect prints what look finds for each reference: a JSON array, or each by a template. One that is not found does not
// keep it from the others.
func (e *Env) Inspect(format string, refs []string, look func(ref string) (any, error)) error {
	found := []any{}
	err := e.Each(refs, func(ref string) error {
		thing, err := look(ref)
		if err == nil {
			found = append(found, thing)
		}
		return err
	})
	if format != "" && format != "json" {
		t, templateErr := Template(format)
		if templateErr != nil {
			return templateErr
		}
		for _, thing := range found {
			text, err := expand(t, thing)
			if err != nil {
				return kernel.Advise(err, "the fields are those of the JSON that inspect shows without -f")
			}
			fmt.Fprintln(e.Out, text)
		}
		return err
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if format == "" {
		encoder.SetIndent("", "    ")
	}
	if encodeErr := encoder.Encode(found); encodeErr != nil {
		return encodeErr
	}
	e.Out.Write(b.Bytes())
	return err
}

// expand fills in a template. Its fields may be named as in Go (.ID) or as in the JSON (.Id), as with Docker.
func expand(t *template.Template, value any) (string, error) {
	var b strings.Builder
	if t.Execute(&b, value) == nil {
		return b.String(), nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	var raw any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&raw); err != nil {
		return "", err
	}
	b.Reset()
	err = t.Option("missingkey=error").Execute(&b, raw)
	return b.String(), err
}
