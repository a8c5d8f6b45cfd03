package at

import (
	"fmt"
	"strings"
)

// Response is the answer to one command that succeeded.
type Response struct {
	// Info holds the information lines in their order.
	Info []Info
	// Final is the result code as it came: "OK", "CONNECT 115200".
	Final string
}

// Info is one information line and what belongs to it.
type Info struct {
	// Text is the line without its line end: "+CSQ: 17,0".
	Text string
	// Body is what followed the line by the command's Body rule: text lines
	// joined by "\n", or raw octets as they came.
	Body []byte
}

// Line returns the first information line of that name and whether there is
// one.
func (r Response) Line(name string) (Info, bool) {
	for _, info := range r.Info {
		if hasPrefix(info.Text, name) {
			return info, true
		}
	}
	return Info{}, false
}

// Args returns a reader of the first information line of that name. Its
// absence is the reader's first fault.
func (r Response) Args(name string) *Args {
	if info, ok := r.Line(name); ok {
		return info.Args(name)
	}
	return &Args{name: name, err: fmt.Errorf("%s: the answer has no such line", name)}
}

// Args returns a reader of the line's fields behind the name.
func (i Info) Args(name string) *Args { return ParseArgs(name, i.Text) }

// Text returns the information lines joined by "\n", for answers without
// names such as that of +CGMI.
func (r Response) Text() string {
	lines := make([]string, len(r.Info))
	for i, info := range r.Info {
		lines[i] = info.Text
	}
	return strings.Join(lines, "\n")
}
