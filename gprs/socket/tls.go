package socket

import (
	"context"
	"errors"
	"fmt"

	"github.com/telemodem/telemodem/at"
)

// TLS says how the modem's own TLS is to treat the server. Open writes it into
// the modem.
//
// What a modem can check is less than what crypto/tls checks, and differs. The
// zero Verify asks for the most; a dialect that does not give what is asked for
// makes Open fail with errors.ErrUnsupported, so that nothing is weaker than
// was asked for:
//
//	dialect   VerifyServer         VerifyChain  VerifyNothing  CheckDates
//	Quectel   BG9x: "checkhost"    yes          yes            yes
//	u-blox    yes                  yes          yes            with VerifyServer
//	SIM800    no                   no           yes            no
//	Telit     no TLS here: its commands are others, for one socket
//	SIM7600   no TLS: the sources differ in whether the data that +CCHRECV
//	          announces stands before or behind the OK, and behind it octets
//	          cannot be told from notifications
//
// Where that is not enough, crypto/tls runs over a plain connection of a Stack
// as over any net.Conn, and checks all of it.
type TLS struct {
	// Verify is what the modem checks of the server's certificate.
	Verify Verification
	// CA names the root certificate that servers' certificates have to come
	// from, as it is stored in the modem: "UFS:ca.pem" for Quectel (AT+QFUPL),
	// the internal name for u-blox (AT+USECMNG). Needed unless Verify is
	// VerifyNothing.
	CA string
	// ServerName is whom the certificate has to be for, where that is not the
	// host that is dialled. For u-blox alone.
	ServerName string
	// CheckDates refuses certificates that are not valid yet or any more. The
	// modem's clock must be right for it.
	CheckDates bool
	// Profile is the number of the settings in the modem that are written:
	// Quectel's SSL context 0 to 5, u-blox' security profile 0 to 4.
	Profile int
}

// Verification is what is checked before a server is trusted.
type Verification uint8

// Degrees of verification.
const (
	// VerifyServer: the certificate comes from CA and is for the host.
	VerifyServer Verification = iota
	// VerifyChain: the certificate comes from CA. Whoever has one from there
	// can pose as any server.
	VerifyChain
	// VerifyNothing: any certificate will do. Who only listens learns nothing,
	// but who is in between can read and change everything.
	VerifyNothing
)

// String names the degree.
func (v Verification) String() string {
	switch v {
	case VerifyServer:
		return "the server's chain and name"
	case VerifyChain:
		return "the server's chain alone"
	case VerifyNothing:
		return "nothing"
	}
	return fmt.Sprintf("verification %d", uint8(v))
}

// check tells what cannot be meant.
func (t *TLS) check() error {
	for name, text := range map[string]string{"CA": t.CA, "server name": t.ServerName} {
		if _, err := at.Quote(text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	switch {
	case t.Verify > VerifyNothing || t.Profile < 0:
		return fmt.Errorf("%w: %v, profile %d", at.ErrInvalid, t.Verify, t.Profile)
	case t.Verify != VerifyNothing && t.CA == "":
		return fmt.Errorf("%w: no root certificate is named, so that nothing can be checked: name it as CA, or ask for VerifyNothing", at.ErrInvalid)
	}
	return nil
}

// lacks makes the error of a dialect that does not do what t asks for.
func (t *TLS) lacks(what string) error {
	return fmt.Errorf("%w: the modem's TLS does not check %s", errors.ErrUnsupported, what)
}

// set runs the commands of a profile in order; the first one refused tells
// which setting the modem does not have.
func (w wire) set(ctx context.Context, commands []string) error {
	for _, text := range commands {
		if _, err := w.run(ctx, tlsAnswer, "%s", text); err != nil {
			return err
		}
	}
	return nil
}
