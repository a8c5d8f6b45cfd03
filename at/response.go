package at

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
