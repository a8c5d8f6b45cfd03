package warthog

import (
	"fmt"
	"strings"

	"github.com/telemodem/telemodem/at"
)

// response sorts the lines that the driver returned: those with a name of the
// command and what belongs to them are the answer; others are, if the command
// asks for free text.
func response(cmd *at.Command, lines []string) (at.Response, error) {
	resp := at.Response{Final: "OK"}
	names := cmd.Prefixes
	if names == nil {
		names = namesOf(cmd.Text)
	}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		named := hasName(line, names)
		if line == "" || !named && !cmd.FreeText && len(names) > 0 {
			continue
		}
		if named && cmd.Accept != nil && !cmd.Accept(line) {
			continue
		}
		info := at.Info{Text: line}
		if cmd.Body != nil && named {
			b := cmd.Body(line)
			if b.Octets > 0 || b.Text > 0 {
				return resp, fmt.Errorf("%w: its answer has octets", ErrUnsupported)
			}
			end := min(i+1+b.Lines, len(lines))
			if end > i+1 {
				info.Body = []byte(strings.Join(lines[i+1:end], "\n"))
			}
			i = end - 1
		}
		resp.Info = append(resp.Info, info)
	}
	return resp, nil
}

// namesOf returns the names of the extended commands of a command line; none
// means that any line is an answer, as those of ATI are.
func namesOf(text string) []string {
	var names []string
	for _, part := range strings.Split(text, ";") {
		end := strings.IndexAny(part, "=?")
		if end < 0 {
			end = len(part)
		}
		name := strings.ToUpper(part[:end])
		switch name {
		case "+GMI", "+GMM", "+GMR", "+GSN", "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+CIMI":
			return nil // answered without a name (ITU-T V.250 6.1, TS 27.007 clause 5)
		}
		if strings.HasPrefix(name, "+") {
			names = append(names, name)
		}
	}
	return names
}

func hasName(line string, names []string) bool {
	for _, name := range names {
		rest, ok := strings.CutPrefix(line, name)
		if ok && (rest == "" || !isAlphanumeric(rest[0])) {
			return true
		}
	}
	return false
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
