// Package socket uses the TCP and UDP sockets inside a modem: for modems whose
// PPP is of no use, for programs that must keep one serial line for commands,
// and where a TCP/IP stack of one's own is too much.
//
// [Open] brings the modem's service up by one of the [Dialect] values and
// returns a [Stack]. Its DialContext gives a net.Conn, for UDP one that is a
// net.PacketConn as well, with deadlines and limits like those of package net;
// its ListenPacket gives a net.PacketConn for datagrams from and to anybody.
// A Stack is a gprs.Network, so a Bearer dials through it if it is told to:
//
//	cfg := &gprs.BearerConfig{Sockets: func(ctx context.Context, c at.Commander, d gprs.Context) (gprs.Network, error) {
//		return socket.Open(ctx, c, socket.SIM800, &socket.Config{APN: d.APN, User: d.User, Password: d.Password})
//	}}
//
// # Dialects
//
// What differs, after the manuals that the files of this package name:
//
//	dialect    sockets  octets in a write  ListenPacket  TLS in the modem
//	SIM800     6        1460               no            1 session, which nobody verifies
//	SIM7600    10       1400               no            no
//	Quectel    12       1460               yes           yes, see TLS
//	UBlox      7        1024               yes           yes, see TLS
//	UBloxPSD   7        1024               yes           yes, see TLS
//	Telit      6        1500, or 512       yes           no
//
// A longer Write is sent in pieces; a datagram beyond the limit, or an empty
// one, is ErrTooLong before anything is written. SIM800 and SIM7600 do not say
// in which form they keep several datagrams that wait, nor who sent them:
// protocols on top must not depend on either. SIM7600 takes datagrams from
// anybody, even when one peer was dialled. The modem's TLS checks less than
// crypto/tls does: [TLS] says what, and nothing is weaker than was asked for.
//
// Connecting holds the line for up to OpenTimeout with UBloxPSD, whose modems
// have no other form, and with Telit, where not all have one; the others leave
// it to commands meanwhile.
//
// That Telit's ListenPacket hears everybody is known of ME910 and ME310 alone.
// For datagrams its firmware has to know the third parameter of AT#SRECV. Where
// it does not know AT#SCFGEXT2, a close by the peer is told by a bare NO
// CARRIER: if that comes inside the answer to a command of whoever uses the
// line, the command fails although it may have been done. The sockets find out
// by the modem's counters what became of theirs, and a dial asks whether its
// connection comes up; a read that was lost so ends the connection with an error. There data are sent as hexadecimal digits, 512
// octets in a write.
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
// A Write whose prompt does not show, or whose data the modem loses, fails, and
// the connection with it. The modem may still count octets then, and takes what
// the engine sends to find its place for the rest of the data: the peer may get
// octets at the end of the stream that nobody wrote. Protocols on top should
// know their data by more than its length, as TLS does.
//
// # Numbers
//
// A modem has few sockets. The number of one that has failed or was closed is
// used again when the modem has confirmed its close, or refused it and says
// that the number is free; until then the close is repeated, after pauses of
// 1 s to 30 s, as long as the Stack is open; a line that is gone proves nothing.
// Modems that choose the number (UBlox, UBloxPSD) may give one again of which we
// have not heard yet that it is free: the socket that had it fails.
// [Stack.Close] names the numbers that it could not free; the next Open frees
// what another run has left.
//
// # What a read means
//
// The modem's notice of data is a hint that can be lost, come late or mean a
// socket of another run. So each socket is also asked at Config.PollInterval,
// is read until it is empty, and what was received before a close is delivered
// before io.EOF. What the program does not read stays with the modem, beyond
// 64 KiB for each socket.
//
// io.EOF is the peer's close, by the modem's word. All else that ends a stream
// is an error with its cause: [ErrContextLost], [ErrSocketGone] when the modem
// does not know the socket any more, at.ErrRebooted, or the line's. SIM7600
// does not tell a socket that is gone from one that was closed, nor do Telit's
// that do not know AT#SLASTCLOSURE.
package socket
