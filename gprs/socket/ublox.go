package socket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/telemodem/telemodem/at"
)

// ublox is the dialect of u-blox: UBX-17003787 for SARA-R4, R5 and LARA-R6,
// UBX-13002752 for SARA-U2 and G3, with binary transfers.
type ublox struct {
	wire
	kind ubloxKind
	turn chan struct{} // holds a token while a socket is made, and for TLS until it is connected
	// numbers holds a token while the modem gives or takes back a number: one that
	// it gives is not closed as that of the socket before.
	numbers chan struct{}
	late    [ubloxSockets]chan string // what +USOWR and +USOST told behind their OK
}

const ubloxSockets = 7

// ubloxKind is what differs between the families.
type ubloxKind struct {
	// profiles: the context is a packet switched data profile, set by +UPSD and
	// activated by +UPSDA. Without them it is that of the packet service.
	profiles bool
	// waits: +USOCO has no form that lets other commands run while it connects.
	waits bool
}

func newUBlox(c at.Commander, cfg *Config) driver { return makeUBlox(c, cfg, ubloxKind{}) }

func newUBloxPSD(c at.Commander, cfg *Config) driver {
	return makeUBlox(c, cfg, ubloxKind{profiles: true, waits: true})
}

func makeUBlox(c at.Commander, cfg *Config, kind ubloxKind) ublox {
	d := ublox{wire: wire{c, cfg}, kind: kind, turn: make(chan struct{}, 1), numbers: make(chan struct{}, 1)}
	for id := range d.late {
		d.late[id] = make(chan string, 1)
	}
	return d
}

func (ublox) limits() limits {
	return limits{ids: ubloxSockets, send: 1024, receive: 1024, ownIDs: true}
}

const (
	ubloxAnswer   = 10 * time.Second
	ubloxConnect  = 120 * time.Second
	ubloxActivate = 180 * time.Second     // UBX-13002752, +UPSDA: 3 minutes
	ubloxStop     = 40 * time.Second      // the same, for the deactivation
	ubloxGap      = 50 * time.Millisecond // between the @ and the data
	ubloxLate     = time.Second           // for what an OK came before
)

// start closes the sockets of another run and brings the context up. Without
// profiles that is the one of the packet service, which a Radio or a session
// has attached.
func (d ublox) start(ctx context.Context) error {
	for id := range d.limits().ids {
		if err := d.quiet(ctx, closeTimeout, "+USOCL=%d", id); err != nil {
			return err
		}
	}
	if err := d.secure(ctx); err != nil {
		return err
	}
	if d.kind.profiles {
		return d.activate(ctx)
	}
	apn, _, _, err := d.credentials()
	if err != nil || d.cfg.APN == "" {
		return err
	}
	return d.quiet(ctx, ubloxAnswer, `+CGDCONT=%d,"IP",%s`, d.cfg.context(), apn)
}

// stop brings the profile down. Without one there is nothing to do: on LTE the
// last context cannot be deactivated.
func (d ublox) stop(ctx context.Context) error {
	if !d.kind.profiles {
		return nil
	}
	return d.quiet(ctx, ubloxStop, "+UPSDA=%d,4", d.cfg.Profile)
}

// secure writes the security profile: +USECPRF of both manuals.
func (d ublox) secure(ctx context.Context) error {
	t := d.cfg.TLS
	if t == nil {
		return nil
	}
	level := map[Verification]int{VerifyServer: 2, VerifyChain: 1, VerifyNothing: 0}[t.Verify]
	if t.CheckDates {
		if t.Verify != VerifyServer {
			return t.lacks("dates unless it checks the server's name as well")
		}
		level = 3
	}
	commands := []string{fmt.Sprintf("+USECPRF=%d", t.Profile), fmt.Sprintf("+USECPRF=%d,0,%d", t.Profile, level)}
	if t.Verify != VerifyNothing {
		commands = append(commands, fmt.Sprintf(`+USECPRF=%d,3,"%s"`, t.Profile, t.CA))
	}
	return d.set(ctx, commands)
}

// open makes a socket and connects it. For TLS the host is a part of the
// profile, so one connects at a time.
func (d ublox) open(ctx context.Context, s *conn) error {
	protocol := 6
	if s.network == "udp" {
		protocol = 17
	}
	release, err := d.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := d.create(ctx, s, fmt.Sprintf("+USOCR=%d", protocol)); err != nil {
		return err
	}
	if s.secure() {
		if err := d.name(ctx, s); err != nil {
			return err
		}
	} else {
		release()
	}
	return d.connect(ctx, s)
}

// listen binds a socket to a port; it needs no more.
func (d ublox) listen(ctx context.Context, s *conn) error {
	release, err := d.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	return d.create(ctx, s, fmt.Sprintf("+USOCR=17,%d", s.port))
}

// take waits for the turn to make a socket; release may be called twice.
func (d ublox) take(ctx context.Context) (release func(), err error) {
	select {
	case d.turn <- struct{}{}:
		return sync.OnceFunc(func() { <-d.turn }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// create makes a socket. The answer is waited for even if ctx ends: a number
// that nobody heard would stay in use. If that has happened and the numbers
// have run out, those that are not ours are closed.
func (d ublox) create(ctx context.Context, s *conn, text string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	whole := context.WithoutCancel(ctx)
	select {
	case d.numbers <- struct{}{}:
		defer func() { <-d.numbers }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := d.newSocket(whole, s, text)
	if err == nil || !refused(err) {
		return err
	}
	for id := range d.limits().ids {
		if s.s.has(id) {
			continue
		}
		if err := d.quiet(whole, ubloxAnswer, "+USOCL=%d", id); err != nil {
			return err
		}
	}
	if err = d.newSocket(whole, s, text); err != nil && refused(err) {
		return fmt.Errorf("%w: %w", ErrNoSocket, err)
	}
	return err
}

func (d ublox) newSocket(ctx context.Context, s *conn, text string) error {
	res, err := d.run(ctx, ubloxAnswer, "%s", text)
	if err != nil {
		return err
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+USOCR"); ok && n[0] >= 0 && n[0] < d.limits().ids {
			s.s.adopt(s, n[0])
			return nil
		}
	}
	return fmt.Errorf("%w: +USOCR gave no number", ErrRefused)
}

// name turns TLS on for a socket and tells the profile whom to expect. The
// server name is sent where the firmware can: SARA-U2 and G3 do not.
func (d ublox) name(ctx context.Context, s *conn) error {
	t := d.cfg.TLS
	host := t.ServerName
	if host == "" {
		host = s.host
	}
	if t.Verify == VerifyServer {
		if _, err := d.run(ctx, ubloxAnswer, `+USECPRF=%d,4,"%s"`, t.Profile, host); err != nil {
			return err
		}
	}
	if err := d.quiet(ctx, ubloxAnswer, `+USECPRF=%d,10,"%s"`, t.Profile, host); err != nil {
		return err
	}
	_, err := d.run(ctx, ubloxAnswer, "+USOSEC=%d,1,%d", s.id, t.Profile)
	return err
}

// connect uses the form that leaves the line free while the modem connects,
// where there is one. Firmware that does not know its parameter gets the other.
func (d ublox) connect(ctx context.Context, s *conn) error {
	cmd := at.Command{Text: fmt.Sprintf(`+USOCO=%d,"%s",%d`, s.id, s.host, s.port), Timeout: orDuration(d.cfg.OpenTimeout, ubloxConnect)}
	if !d.kind.waits {
		free := cmd
		free.Text += ",1"
		free.Stages = []at.Stage{report("+UUSOCO", 1, s.id)}
		_, err := d.c.Command(ctx, free)
		if err == nil || !unknownParameter(err) {
			return connectError(err)
		}
	}
	_, err := d.c.Command(ctx, cmd)
	return connectError(err)
}

func connectError(err error) error {
	if err != nil && refused(err) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// unknownParameter tells whether the modem did not like the form of a command:
// operation not supported, incorrect parameters (3GPP TS 27.007 clause 9.2).
func unknownParameter(err error) bool {
	return errors.Is(err, at.CMEError{Code: 4}) || errors.Is(err, at.CMEError{Code: 50})
}

// send tells what was taken; without a word about it, not even behind the OK,
// nothing was (ubxlib, u_cell_sock.c).
func (d ublox) send(ctx context.Context, s *conn, p piece) (int, error) {
	name, to := "+USOWR", ""
	if p.addr.IsValid() {
		name, to = "+USOST", fmt.Sprintf(`"%s",%d,`, p.addr.Addr(), p.addr.Port())
	}
	taken := func(line string) int {
		if n, ok := numbers(line, name); ok && len(n) > 1 && n[0] == s.id && n[1] >= 0 && n[1] <= len(p.data) {
			return n[1]
		}
		return 0
	}
	late := d.late[s.id]
	select {
	case <-late: // of a send before
	default:
	}
	res, err := d.c.Command(ctx, at.Command{
		Text:    fmt.Sprintf("%s=%d,%s%d", name, s.id, to, len(p.data)),
		Prompt:  d.prompt("@", p.data, ubloxGap),
		Timeout: 60 * time.Second,
	})
	if err != nil {
		return 0, gone(err)
	}
	if len(res.Info) > 0 {
		return taken(res.Info[len(res.Info)-1].Text), nil
	}
	select { // the word may come behind the OK (F17)
	case line := <-late:
		return taken(line), nil
	case <-time.After(ubloxLate):
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// receive reads a counted block between quotes, for datagrams behind the sender.
func (d ublox) receive(ctx context.Context, s *conn, max int) (piece, error) {
	name, field := "+USORD", 1
	if s.network == "udp" {
		name, field = "+USORF", 3
	}
	res, err := d.c.Command(ctx, at.Command{
		Text:    fmt.Sprintf("%s=%d,%d", name, s.id, max),
		Timeout: ubloxAnswer,
		Body:    quotedOctets(name, field),
	})
	line, data := block(res)
	p := piece{data: data}
	if s.host == "" {
		p.addr = sender(line, 1)
	}
	return p, gone(err)
}

// quotedOctets makes a Body rule: the block between the quotes at the end of a
// line is as long as field i, right before it, says.
func quotedOctets(name string, i int) func(line string) at.Body {
	return func(line string) at.Body {
		head, ok := strings.CutSuffix(line, `,"`)
		n, named := numbers(head, name)
		if !ok || !named || len(n) != i+1 || n[i] <= 0 || n[i] > maxBlock {
			return at.Body{}
		}
		return at.Body{Octets: n[i], Quoted: true}
	}
}

// state reads the TCP state: 4 is established (the manual's table of +USOCTL).
// Datagrams have none; a socket that is gone has no protocol either.
func (d ublox) state(ctx context.Context, s *conn) (state, error) {
	what := 10
	if s.network == "udp" {
		what = 0
	}
	res, err := d.run(ctx, ubloxAnswer, "+USOCTL=%d,%d", s.id, what)
	if err != nil {
		return stateGone, ignoreRefusal(err)
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+USOCTL"); ok && len(n) > 2 {
			if n[2] == 4 || what == 0 {
				return stateOpen, nil
			}
			return stateClosed, nil
		}
	}
	return stateGone, nil
}

func (d ublox) close(ctx context.Context, s *conn) error {
	select {
	case d.numbers <- struct{}{}:
		defer func() { <-d.numbers }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if !s.s.holds(s) { // it is another's by now
		return nil
	}
	_, err := d.run(ctx, closeTimeout, "+USOCL=%d", s.id)
	return err
}

// held asks for the protocol, which every socket has that was made.
func (d ublox) held(ctx context.Context, s *conn) (bool, error) {
	res, err := d.run(ctx, ubloxAnswer, "+USOCTL=%d,0", s.id)
	if err != nil {
		return false, ignoreRefusal(err)
	}
	return len(res.Info) > 0, nil
}

func (ublox) notices() []string {
	return []string{"+UUSORD", "+UUSORF", "+UUSOCL", "+UUPSDD", "+USOWR", "+USOST"}
}

func (d ublox) notice(line string) notice {
	for name, kind := range map[string]noticeKind{"+UUSORD": noticeData, "+UUSORF": noticeData, "+UUSOCL": noticeClosed} {
		if n, ok := numbers(line, name); ok && n[0] >= 0 {
			return notice{kind, n[0]}
		}
	}
	name, _, _ := strings.Cut(line, ":")
	if n, ok := numbers(line, name); ok && strings.HasPrefix(name, "+USO") && n[0] >= 0 && n[0] < len(d.late) {
		select {
		case d.late[n[0]] <- line:
		default:
		}
		return notice{}
	}
	if n, ok := numbers(line, "+UUPSDD"); ok && (!d.kind.profiles || n[0] == d.cfg.Profile) {
		return notice{kind: noticeLost}
	}
	return notice{}
}
