package fakemodem

import (
	"crypto/md5"
	"errors"
	"fmt"
	"maps"
	"net"
)

// Sockets of u-blox SARA and LARA: UBX-17003787, chapter "Internet suite". The
// context is that of the packet service; the service counts the context while a
// socket has used it.
func init() {
	commands := table{
		"+USOCR":   {run: usoCreate},
		"+USOSEC":  {run: usoSecure},
		"+USOCO":   {run: usoConnect},
		"+USOWR":   {run: usoWrite},
		"+USOST":   {run: usoSendTo},
		"+USORD":   {run: usoRead},
		"+USORF":   {run: usoRead},
		"+USOCL":   {run: usoClose},
		"+USOCTL":  {run: usoControl},
		"+UDNSRN":  {run: usoName},
		"+USECPRF": {run: usecProfile},
		"+USECMNG": {run: usecStore},
	}
	plain := &socketDialect{
		ids:      7,
		commands: commands,
		ready: func(k *modemSocket) string {
			if k.network == "udp" {
				return fmt.Sprintf("+UUSORF: %d,%d", k.id, k.size)
			}
			return fmt.Sprintf("+UUSORD: %d,%d", k.id, k.size)
		},
		closed: func(k *modemSocket) string { return fmt.Sprintf("+UUSOCL: %d", k.id) },
		lost:   func(int) string { return "+UUPSDD: 0" },
	}
	socketDialects[SocketsUblox] = plain

	// The older ones have the packet switched data profiles: UBX-13002752,
	// chapter "Packet switched data". Profile p is context p+1 here.
	psd := *plain
	psd.commands = maps.Clone(commands)
	psd.commands["+UPSD"] = command{run: upsd}
	psd.commands["+UPSDA"] = command{run: upsdAction}
	psd.commands["+UPSND"] = command{run: upsdState}
	psd.lost = func(context int) string { return fmt.Sprintf("+UUPSDD: %d", context-1) }
	socketDialects[SocketsUbloxPSD] = &psd
}

// hasProfiles tells whether the context is one of the profiles.
func (s *socketSet) hasProfiles(m *Modem) bool { return s.of(m) == socketDialects[SocketsUbloxPSD] }

// upsd keeps a value of a profile; that of the password is not told.
func upsd(c *Call) Result {
	profile, tag := c.between(0, 0, 6, 0), c.between(1, 0, 19, 0)
	if c.bad || c.Op != Set || !c.given(1) {
		return CME(cmeNotAllowed)
	}
	pc := c.m.contexts.get(profile + 1)
	switch tag {
	case 1:
		pc.apn = c.text(2, "")
	case 2:
		pc.user = c.text(2, "")
	case 3:
		pc.password = c.text(2, "")
	case 6:
		pc.auth = c.between(2, 0, 3, 0)
	}
	return OK
}

// Actions of AT+UPSDA.
const (
	upsdActivate   = 3
	upsdDeactivate = 4
)

func upsdAction(c *Call) Result {
	s, profile := &c.m.sockets, c.between(0, 0, 6, 0)
	action := c.between(1, 0, 4, 0)
	if c.bad || c.Op != Set {
		return CME(cmeNotAllowed)
	}
	switch action {
	case upsdActivate:
		if c.m.contexts.get(profile + 1).active {
			return CME(cmeNotAllowed)
		}
		if r := s.activate(c, profile+1); r.kind != kindOK {
			return r
		}
		s.service = profile + 1
		line := fmt.Sprintf(`+UUPSDA: 0,"%s"`, c.m.contexts.get(profile+1).local())
		c.m.after(0, func() { c.m.notify(line) })
	case upsdDeactivate:
		if !c.m.contexts.get(profile + 1).active {
			return CME(cmeNotAllowed)
		}
		s.deactivate(c.m, profile+1)
	}
	return OK
}

// upsdState tells the address (0) or whether the profile is active (8).
func upsdState(c *Call) Result {
	profile, what := c.between(0, 0, 6, 0), c.between(1, 0, 8, 0)
	pc := c.m.contexts.get(profile + 1)
	switch {
	case c.bad || c.Op != Set:
		return CME(cmeNotAllowed)
	case what == 8 && pc.active:
		c.Info(fmt.Sprintf("+UPSND: %d,8,1", profile))
	case what == 8:
		c.Info(fmt.Sprintf("+UPSND: %d,8,0", profile))
	case !pc.active:
		return CME(cmeNotAllowed)
	default:
		c.Info(fmt.Sprintf(`+UPSND: %d,%d,"%s"`, profile, what, pc.local()))
	}
	return OK
}

// online brings the context up where the modem does that by itself.
func (s *socketSet) online(c *Call) bool {
	if s.hasProfiles(c.m) {
		return s.service > 0
	}
	if s.activate(c, 1).kind != kindOK {
		return false
	}
	s.service = 1
	return true
}

func usoCreate(c *Call) Result {
	s := &c.m.sockets
	network, port := map[int]string{6: "tcp", 17: "udp"}[c.number(0, 0)], c.between(1, 0, 65535, 0)
	id := s.free(7)
	if c.bad || network == "" || id < 0 {
		return CME(cmeNotAllowed)
	}
	s.online(c) // on LTE the context is there from the attachment on
	k := s.create(c.m, id, network)
	if port > 0 && network == "udp" && k.bind(uint16(port)) != nil {
		k.close()
		return CME(cmeNotAllowed)
	}
	if takeFault(&s.faults.StaleReady) {
		c.m.after(0, func() { c.m.notify("+UUSORD: 6,12") })
	}
	c.Info(fmt.Sprintf("+USOCR: %d", id))
	return OK
}

// socket finds the socket that the first value names.
func (c *Call) socket() *modemSocket {
	k := c.m.sockets.list[c.between(0, 0, 6, 0)]
	if c.bad || c.Op != Set || k == nil {
		return nil
	}
	return k
}

// usoSecure turns TLS on for a socket, with the settings of a profile. Those
// are read when it connects.
func usoSecure(c *Call) Result {
	k, on, profile := c.socket(), c.between(1, 0, 1, 0), c.between(2, 0, 4, 0)
	if k == nil || c.bad || k.network != "tcp" || k.connected() {
		return CME(cmeNotAllowed)
	}
	if k.tls = nil; on == 1 {
		k.tls = c.m.sockets.profile(profile)
	}
	return OK
}

// usecProfile sets one value of a TLS profile, or all of them to what they are
// from the beginning.
func usecProfile(c *Call) Result {
	id, what := c.between(0, 0, 4, 0), c.between(1, 0, 16, -1)
	if c.bad || c.Op != Set {
		return CME(cmeNotAllowed)
	}
	p := c.m.sockets.profile(id)
	switch what {
	case -1:
		*p = tlsProfile{}
	case 0:
		level := c.between(2, 0, 3, 0)
		p.verify, p.named, p.dates = level > 0, level > 1, level > 2
	case 3:
		p.root = c.text(2, "")
	case 4:
		p.host = c.text(2, "")
	case 10:
		p.sni = c.text(2, "")
	}
	return OK
}

// usecStore stores a certificate: the name is not that of a file.
func usecStore(c *Call) Result {
	name, size := c.text(2, ""), c.between(3, 1, certificateLimit, 0)
	if c.bad || c.Op != Set || c.between(0, 0, 0, -1) != 0 || name == "" || size == 0 {
		return CME(cmeNotAllowed)
	}
	kind := c.number(1, 0)
	return c.askOctets("\r\n>", size, func(data []byte) Result {
		c.m.sockets.store(name, data)
		c.Info(fmt.Sprintf(`+USECMNG: 0,%d,"%s","%x"`, kind, name, md5.Sum(data)))
		return OK
	})
}

// usoConnect waits for the connection, or with a fourth value says later how it
// went.
func usoConnect(c *Call) Result {
	s, k := &c.m.sockets, c.socket()
	if k == nil || k.connected() || !s.online(c) {
		return CME(cmeNotAllowed)
	}
	if k.host, k.port = c.text(1, ""), c.between(2, 1, 65535, 0); c.bad {
		return CME(cmeInvalidParam)
	}
	if c.between(3, 0, 1, 0) == 1 {
		if s.hasProfiles(c.m) {
			return CME(cmeInvalidParam)
		}
		k.connect(func(err error) {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			code := 0
			if err != nil {
				code = 111 // connection refused
			}
			c.m.after(0, func() { c.m.notify(fmt.Sprintf("+UUSOCO: %d,%d", k.id, code)) })
		})
		return OK
	}
	k.connect(func(err error) {
		if err != nil {
			c.finish(CME(cmeNotAllowed))
			return
		}
		c.finish(OK)
	})
	return pending
}

func usoWrite(c *Call) Result {
	k, size := c.socket(), c.between(1, 1, 1024, 0)
	if k == nil || size == 0 || !k.connected() || k.eof || c.m.sockets.tooLong(size) {
		return CME(cmeNotAllowed)
	}
	return c.prompted("@", size, func(data []byte) Result {
		return k.send(c, data, func(taken int, err error) Result {
			if err != nil {
				return CME(cmeNotAllowed)
			}
			c.Info(fmt.Sprintf("+USOWR: %d,%d", k.id, taken))
			return OK
		})
	})
}

func usoSendTo(c *Call) Result {
	k, host, port, size := c.socket(), c.text(1, ""), c.between(2, 1, 65535, 0), c.between(3, 1, 1024, 0)
	if k == nil || size == 0 || k.network != "udp" || c.m.sockets.tooLong(size) || !c.m.sockets.online(c) {
		return CME(cmeNotAllowed)
	}
	return c.prompted("@", size, func(data []byte) Result {
		return k.sendTo(c, host, port, data, func(taken int, err error) Result {
			if err != nil {
				return CME(cmeNotAllowed)
			}
			c.Info(fmt.Sprintf("+USOST: %d,%d", k.id, taken))
			return OK
		})
	})
}

func usoRead(c *Call) Result {
	k, size := c.socket(), c.between(1, 0, 1024, 1024)
	if k == nil {
		return CME(cmeNotAllowed)
	}
	if size == 0 {
		c.Info(fmt.Sprintf("%s: %d,%d", c.Name, k.id, k.size))
		return OK
	}
	if len(k.in) == 0 {
		c.Info(fmt.Sprintf(`%s: %d,""`, c.Name, k.id))
		return OK
	}
	data, from := k.take(size)
	head := fmt.Sprintf(`%s: %d,%d,"`, c.Name, k.id, len(data))
	if c.Name == "+USORF" {
		host, port := k.sender(from)
		head = fmt.Sprintf(`%s: %d,"%s",%d,%d,"`, c.Name, k.id, host, port, len(data))
	}
	return c.block(head, data, "\"\r\n")
}

func usoClose(c *Call) Result {
	k := c.socket()
	if k == nil {
		return CME(cmeNotAllowed)
	}
	k.close()
	return OK
}

func usoControl(c *Call) Result {
	k, what := c.socket(), c.number(1, 0)
	if k == nil {
		return CME(cmeNotAllowed)
	}
	value := 0
	switch {
	case what == 0:
		value = map[string]int{"tcp": 6, "udp": 17}[k.network]
	case what == 10 && k.connected() && k.eof:
		value = 7 // close wait
	case what == 10 && k.connected():
		value = 4 // connected
	}
	c.Info(fmt.Sprintf("+USOCTL: %d,%d,%d", k.id, what, value))
	return OK
}

func usoName(c *Call) Result {
	r := CME(cmeNotAllowed)
	c.resolve(c.text(1, ""), func(addr string, ok bool) {
		if ok {
			c.Info(fmt.Sprintf(`+UDNSRN: "%s"`, addr))
			r = OK
		}
	})
	return r
}
