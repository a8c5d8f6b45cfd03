// Package socket uses the TCP and UDP sockets inside a modem: for modems whose
// PPP is of no use, for programs that must keep one serial line for commands,
// and where a TCP/IP stack of one's own is too much.
//
// [Open] brings the modem's service up by one of the [Dialect] values and
// returns a [Stack]. Its DialContext gives a net.Conn, for UDP one that is a
// net.PacketConn as well, with deadlines and limits like those of package net.
// A Stack is a gprs.Network, so a Bearer dials through it if it is told to:
//
//	cfg := &gprs.BearerConfig{Sockets: func(ctx context.Context, c at.Commander, d gprs.Context) (gprs.Network, error) {
//		return socket.Open(ctx, c, socket.SIM800, &socket.Config{APN: d.APN, User: d.User, Password: d.Password})
//	}}
//
// # What a write means
//
// Write returns when the modem has taken all of the data, not when the peer
// has it. What the modem takes only in part is sent on; a refusal for now is
// repeated for Config.SendTimeout. When a deadline ends a Write while a
// piece is on its way to the modem, that piece counts as written: it cannot be
// taken back, and if it fails, the next call says so. Names are resolved by
// the modem.
//
// # What a read means
//
// The modem's notice of data is a hint that can be lost, come late or mean a
// socket of another run. So each socket is also asked at Config.PollInterval,
// is read until it is empty, and what was received before a close is delivered
// before io.EOF. What the program does not read stays with the modem, beyond
// 64 KiB for each socket.
package socket
