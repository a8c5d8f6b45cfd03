package at

import "fmt"

// Quote puts an argument between quotes for a command line. It refuses what
// could end the argument or the line, so that nothing given by a user becomes
// a command of its own: quotes, control characters and octets beyond ASCII
// are ErrInvalid. The error does not repeat the argument, which may be secret.
func Quote(s string) (string, error) {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			return "", fmt.Errorf("%w: a quote at octet %d of an argument", ErrInvalid, i)
		case c < ' ' || c == 0x7F:
			return "", fmt.Errorf("%w: control character 0x%02X at octet %d of an argument", ErrInvalid, c, i)
		case c > 0x7F:
			return "", fmt.Errorf("%w: octet 0x%02X at octet %d of an argument is not ASCII; encode it as the character set in use (+CSCS) asks", ErrInvalid, c, i)
		}
	}
	return `"` + s + `"`, nil
}
