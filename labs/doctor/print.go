package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Print writes the findings, and what was left behind, to w: as a table, or with format "json" one object.
// language is "zh" or "en".
func Print(w io.Writer, findings []Finding, leftovers []Leftover, language, format string) error {
	switch format {
	case "json":
		return printJSON(w, findings, leftovers, language)
	case "", "table":
		return printTable(w, findings, leftovers, language)
	}
	return fmt.Errorf("--format %q: it is table or json", format)
}

var marks = map[State]string{OK: "✓", Missing: "✗", Limited: "!"}

// printTable gives a line to each finding, and one more to its cure.
func printTable(w io.Writer, findings []Finding, leftovers []Leftover, language string) error {
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Name))
	}
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %-*s  %-4s %s\n", marks[f.State], width, f.Name, f.Section, f.Detail.In(language))
		if cure := f.Cure.In(language); cure != "" {
			fmt.Fprintf(&b, "  %-*s  %-4s → %s\n", width, "", "", cure)
		}
	}
	for i, l := range leftovers {
		if i == 0 {
			b.WriteString(title[language == "zh"])
		}
		fmt.Fprintf(&b, "! %s  %s\n", l.Name, l.Detail.In(language))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// title of the leftovers, true for Chinese.
var title = map[bool]string{false: "\nleft behind by an earlier crash:\n", true: "\n以前异常退出时留下的：\n"}

type jsonFinding struct {
	Name    string `json:"name"`
	Section string `json:"section"`
	State   State  `json:"state"`
	Detail  string `json:"detail"`
	Cure    string `json:"cure,omitempty"`
}

type jsonLeftover struct {
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
}

func printJSON(w io.Writer, findings []Finding, leftovers []Leftover, language string) error {
	report := struct {
		Findings  []jsonFinding  `json:"findings"`
		Leftovers []jsonLeftover `json:"leftovers"`
	}{Findings: []jsonFinding{}, Leftovers: []jsonLeftover{}}
	for _, f := range findings {
		report.Findings = append(report.Findings, jsonFinding{f.Name, f.Section, f.State, f.Detail.In(language), f.Cure.In(language)})
	}
	for _, l := range leftovers {
		report.Leftovers = append(report.Leftovers, jsonLeftover{l.Name, l.Detail.In(language)})
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}
