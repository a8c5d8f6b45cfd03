package at

import (
	"bytes"
	"strconv"
	"strings"
)

// outcome is what a final result means for its command.
type outcome uint8

const (
	notFinal outcome = iota
	success
	failure
	connected // the line carries data from here on
	oddResult // a failure that belongs to a call, so perhaps not to the command
)

// finalResult classifies a line as a final result code: those of ITU-T V.250
// clause 5.7.1, 3GPP TS 27.007 clause 9, TS 27.005 clause 3.2.5, and vendors'.
// The returned text needs no memory where the result has no parameter.
func finalResult(line []byte, rules []FinalRule) (outcome, string) {
	if len(line) == 0 {
		return notFinal, ""
	}
	switch line[0] {
	case 'O':
		if string(line) == "OK" {
			return success, "OK"
		}
	case 'E':
		if string(line) == "ERROR" {
			return failure, "ERROR"
		}
	case '+':
		if len(line) > 3 && line[2] == 'M' && (bytes.HasPrefix(line, []byte("+CME ERROR")) || bytes.HasPrefix(line, []byte("+CMS ERROR"))) {
			return failure, string(line)
		}
	case 'C', 'N', 'B', 'A', 'T', 'M':
		if o, text := wordResult(line); o != notFinal {
			return o, text
		}
	}
	for _, r := range rules {
		if matchesFinal(line, r.Text) {
			if r.Success {
				return success, string(line)
			}
			return failure, string(line)
		}
	}
	return notFinal, ""
}

// wordResult classifies the results that are words.
func wordResult(line []byte) (outcome, string) {
	switch string(line) {
	case "CONNECT":
		return connected, "CONNECT"
	case "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE":
		return oddResult, string(line)
	case "ABORTED", "COMMAND NOT SUPPORT", "COMMAND NOT SUPPORTED", "TOO MANY PARAMETERS", "NA":
		return failure, string(line)
	}
	switch {
	case bytes.HasPrefix(line, []byte("CONNECT ")) && isDigit(line[8:]): // the rate
		return connected, string(line)
	case bytes.HasPrefix(line, []byte("MODEM ERROR:")):
		return failure, string(line)
	}
	return notFinal, ""
}

func isDigit(b []byte) bool { return len(b) > 0 && '0' <= b[0] && b[0] <= '9' }

// matchesFinal compares a line with a final result of a profile or command.
func matchesFinal(line []byte, text string) bool {
	if strings.HasSuffix(text, ":") || strings.HasSuffix(text, " ") {
		return bytes.HasPrefix(line, []byte(text))
	}
	return string(line) == text
}

// ParseResult returns the error that a final result stands for: a CMEError,
// CMSError or ResultError; nil for OK. It serves Commanders that are no Modem.
func ParseResult(line string) error {
	line = strings.TrimSpace(line)
	if o, _ := finalResult([]byte(line), nil); o == success || o == connected {
		return nil
	}
	return resultError(line)
}

// resultError makes an error of a final result that is a failure.
func resultError(text string) error {
	switch {
	case strings.HasPrefix(text, "+CME ERROR"):
		code, words := errorCode(text, cmeNames)
		return CMEError{Code: code, Text: words}
	case strings.HasPrefix(text, "+CMS ERROR"):
		code, words := errorCode(text, cmsNames)
		return CMSError{Code: code, Text: words}
	}
	return ResultError{Result: text}
}

// errorCode reads what follows +CME ERROR or +CMS ERROR: a number, or a text
// (AT+CMEE=2) whose number is looked up.
func errorCode(line string, names map[int]string) (code int, text string) {
	text = strings.TrimSpace(strings.TrimLeft(line[len("+CME ERROR"):], " :"))
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return n, ""
	}
	for n, name := range names {
		if strings.EqualFold(name, text) {
			return n, text
		}
	}
	return -1, text
}

// numericResults are the results of ATV0 (ITU-T V.250 clause 5.7.1, table 1).
var numericResults = map[byte]string{
	'0': "OK", '1': "CONNECT", '3': "NO CARRIER", '4': "ERROR", '6': "NO DIALTONE", '7': "BUSY", '8': "NO ANSWER",
}
