package lab

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
	"sandbox/labs/course"
)

// newReport makes `sandbox lab report`, which a learner hands in.
func newReport(env *setting) *cobra.Command {
	var format, name string
	cmd := &cobra.Command{
		Use: "report", Short: "Say how far you have come, to read or (as JSON) to hand in", Args: cobra.NoArgs,
		Long: `Say how far you have come: labs read, exercises solved, how often you tried, and which hints you needed.

The JSON is signed with your seed, so that a change made afterwards is noticed by ` + "`sandbox lab grade`" + `.`,
		Example: "  sandbox lab report\n  sandbox lab report --format json --name 'Ada Lovelace' > ada.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return kernel.Advise(fmt.Errorf("--format %s: a report is text or JSON", format), "--format text or --format json")
			}
			s, err := newSession(env)
			if err != nil {
				return err
			}
			if name == "" {
				name = accountName()
			}
			r, err := s.Report(name)
			if err != nil {
				return err
			}
			if format == "text" {
				s.ShowReport(r)
				return nil
			}
			encoder := json.NewEncoder(env.Out)
			encoder.SetIndent("", "  ")
			return encoder.Encode(r)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().StringVar(&name, "name", "", "your name; that of your account if not given")
	return cmd
}

// accountName is the user's name in full, as the account has it, or the account's.
func accountName() string {
	u, err := user.Current()
	if err != nil {
		return "uid " + strconv.Itoa(os.Getuid())
	}
	if full, _, _ := strings.Cut(u.Name, ","); full != "" { // the rest of the field is room and telephone number (passwd(5), GECOS)
		return full
	}
	return u.Username
}

// newGrade makes `sandbox lab grade`, for the teacher.
func newGrade(env *setting) *cobra.Command {
	var format, seeds string
	cmd := &cobra.Command{
		Use: "grade FILE...", Short: "Make a table of a class from the reports it has handed in", Args: atLeastOneReport,
		Long: `Make a table of a class from the reports (JSON) it has handed in, and list where most are stuck.

A report that was edited is noted, and so are two learners with one seed. Who hands out the seeds (a file of lines
"name,seed") is also told who has used another. Where a lab of a directory stands for a built-in one, so must it for the class: who
has done the other one is noted (give --labs if the class has it). With any such note the exit code is 1.`,
		Example: "  sandbox lab grade *.json\n  sandbox lab grade --seeds class.csv --format csv *.json > class-today.csv",
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "csv" && format != "json" {
				return kernel.Advise(fmt.Errorf("--format %s: a class is shown as text, CSV or JSON", format), "--format text, csv or json")
			}
			given, err := readSeeds(seeds)
			if err != nil {
				return err
			}
			labs, err := library(env.Env)
			if err != nil {
				return err
			}
			var reports []*course.Report
			for _, file := range args {
				r, err := readReport(file)
				if err != nil {
					return err
				}
				reports = append(reports, r)
			}
			grades, stuck := course.GradeAll(reports, given, labs)
			if err := printGrades(env.Out, format, grades, stuck); err != nil {
				return err
			}
			for _, g := range grades {
				if g.Note != "" {
					return command.ExitCode(1)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, csv or json")
	cmd.Flags().StringVar(&seeds, "seeds", "", "a file of lines \"name,seed\": which seed was handed out to whom")
	return cmd
}

func atLeastOneReport(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return kernel.Advise(errors.New("whose reports? none is given"), "sandbox lab grade *.json   each made by: sandbox lab report --format json")
	}
	return nil
}

func readReport(file string) (*course.Report, error) {
	data, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	r, err := course.ReadReport(data)
	if err != nil {
		return nil, kernel.Advise(fmt.Errorf("%s is no report: %w", file, err), "the learner makes one with: sandbox lab report --format json > FILE")
	}
	return r, nil
}

// readSmall reads a file that somebody has handed in, which may be anything.
func readSmall(file string) ([]byte, error) {
	const most = 4 << 20
	f, err := os.Open(file)
	if err != nil {
		return nil, kernel.Advise(err, "give the names of files that can be read")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, kernel.Advise(err, "give the names of files that can be read")
	}
	if len(data) > most {
		return nil, kernel.Advise(fmt.Errorf("%s is larger than 4 MiB: that is no report", file), "the learner makes one with: sandbox lab report --format json > FILE")
	}
	return data, nil
}

// readSeeds reads the seeds that a teacher has handed out; nil if there is no such file.
func readSeeds(file string) (map[string]string, error) {
	if file == "" {
		return nil, nil
	}
	data, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(strings.NewReader(string(data)))
	reader.FieldsPerRecord, reader.TrimLeadingSpace = 2, true
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, kernel.Advise(fmt.Errorf("%s: %w", file, err), "one line a learner, a name and a seed: Ada Lovelace,enigma")
	}
	given := map[string]string{}
	for _, row := range rows {
		given[row[0]] = strings.TrimSpace(row[1])
	}
	return given, nil
}

// gradeRow is a row as it is printed.
type gradeRow struct {
	Learner, Labs, Exercises, Tries, LastHints, Predicted, StuckAt, Note string
}

func printGrades(out io.Writer, format string, grades []course.Grade, stuck []course.Stuck) error {
	heading := gradeRow{"LEARNER", "LABS", "EXERCISES", "TRIES", "LAST HINTS", "PREDICTED", "STUCK AT", "NOTE"}
	var rows []gradeRow
	for _, g := range grades {
		rows = append(rows, gradeRow{g.Learner, strconv.Itoa(g.Labs), fmt.Sprintf("%d/%d", g.Solved, g.Exercises), strconv.Itoa(g.Tries), strconv.Itoa(g.LastHints), g.Predicted, g.Stuck, g.Note})
	}
	switch format {
	case "csv":
		w := csv.NewWriter(out)
		for _, r := range append([]gradeRow{heading}, rows...) {
			w.Write([]string{cell(r.Learner), r.Labs, r.Exercises, r.Tries, r.LastHints, r.Predicted, cell(r.StuckAt), cell(r.Note)})
		}
		w.Flush()
		return w.Error()
	case "json":
		return command.PrintJSON(out, grades)
	}
	const columns = "table {{.Learner}}\t{{.Labs}}\t{{.Exercises}}\t{{.Tries}}\t{{.LastHints}}\t{{.Predicted}}\t{{.StuckAt}}\t{{.Note}}"
	if err := command.PrintRows(out, columns, rows, heading); err != nil || len(stuck) == 0 {
		return err
	}
	fmt.Fprintln(out)
	type stuckRow struct{ Exercise, Learners, Checks, Names string }
	var list []stuckRow
	for _, s := range stuck {
		list = append(list, stuckRow{s.Exercise, strconv.Itoa(len(s.Learners)), strings.Join(s.Failed, ", "), strings.Join(s.Learners, ", ")})
	}
	return command.PrintRows(out, "table {{.Exercise}}\t{{.Learners}}\t{{.Checks}}\t{{.Names}}", list, stuckRow{"EXERCISE", "STUCK", "CHECKS", "LEARNERS"})
}

// cell keeps a spreadsheet from taking somebody's name for a formula.
func cell(text string) string {
	if strings.HasPrefix(text, "=") || strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") || strings.HasPrefix(text, "@") {
		return "'" + text
	}
	return text
}
