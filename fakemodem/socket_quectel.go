package fakemodem

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// Sockets of Quectel BG9x, EC2x and EC200U: "Quectel BG96 TCP/IP AT Commands
// Manual". The service is the context that is active.
func init() {
	socketDialects[SocketsQuectel] = &socketDialect{
		ids:     12,
		refuses: true,
		commands: table{
			"+QICSGP":     {run: qiContext},
			"+QIACT":      {run: qiActivate, own: true},
			"+QIDEACT":    {run: qiDeactivate},
			"+QIOPEN":     {run: qiOpen},
			"+QISEND":     {run: qiSend},
			"+QIRD":       {run: qiRead},
			"+QICLOSE":    {run: qiClose},
			"+QISTATE":    {run: qiState},
			"+QIGETERROR": {run: func(c *Call) Result { c.Info("+QIGETERROR: 566,Socket connect failed"); return OK }},
			"+QIDNSGIP":   {run: qiName},
			"+QSSLCFG":    {run: qsslConfig},
			"+QSSLOPEN":   {run: qsslOpen},
			"+QSSLSEND":   {run: qiSend},
			"+QSSLRECV":   {run: qiRead},
			"+QSSLCLOSE":  {run: qiClose},
			"+QSSLSTATE":  {run: qiState},
			"+QFUPL":      {run: qfUpload},
		},
		ready:  func(k *modemSocket) string { return fmt.Sprintf(`+%s: "recv",%d`, qiNotice(k), k.id) },
		closed: func(k *modemSocket) string { return fmt.Sprintf(`+%s: "closed",%d`, qiNotice(k), k.id) },
		lost:   func(context int) string { return fmt.Sprintf(`+QIURC: "pdpdeact",%d`, context) },
	}
}

// qiNotice is the name of a socket's notices.
func qiNotice(k *modemSocket) string {
	if k.tls != nil {
		return "QSSLURC"
	}
	return "QIURC"
}

// qiSocket finds the socket with a number, if it is of the command's kind.
func qiSocket(c *Call, id int) *modemSocket {
	k := c.m.sockets.list[id]
	if k == nil || (k.tls != nil) != strings.HasPrefix(c.Name, "+QSSL") {
		return nil
	}
	return k
}

func qiContext(c *Call) Result {
	if c.Op == Set {
		c.m.contexts.define(c.between(0, 1, 16, 1), "IP", c.text(2, ""))
	}
	return OK
}

func qiActivate(c *Call) Result {
	s := &c.m.sockets
	if c.Op == Read {
		if s.service > 0 {
			c.Info(fmt.Sprintf(`+QIACT: %d,1,1,"%s"`, s.service, c.m.contexts.get(s.service).local()))
		}
		return OK
	}
	id := c.between(0, 1, 16, 1)
	r := s.activate(c, id)
	if r.kind == kindOK {
		s.service = id
		return OK
	}
	return ERROR
}

func qiDeactivate(c *Call) Result {
	c.m.sockets.deactivate(c.m, c.between(0, 1, 16, 1))
	return OK
}

func qiOpen(c *Call) Result {
	id, kind := c.between(1, 0, 11, 0), strings.ToUpper(c.text(2, ""))
	port, local := c.between(4, 0, 65535, 0), c.between(5, 0, 65535, 0)
	if c.bad || c.Op != Set || c.count() < 5 {
		return ERROR
	}
	if takeFault(&c.m.sockets.faults.StaleReady) {
		c.m.after(0, func() { c.m.notify(`+QIURC: "recv",5`) })
	}
	k, code := qiCreate(c, id)
	report := qiReport(c, id)
	if code != 0 {
		report(code)
		return OK
	}
	k.host, k.port = c.text(3, ""), port
	switch kind {
	case "TCP":
	case "UDP":
		k.network = "udp"
	case "UDP SERVICE":
		k.network, k.host, k.port = "udp", "", 0
		if k.bind(uint16(local)) != nil {
			report(556)
			return OK
		}
		report(0)
		return OK
	default:
		report(552)
		return OK
	}
	qiConnect(k, report)
	return OK
}

// qiReport says later how an opening went.
func qiReport(c *Call, id int) func(code int) {
	return func(code int) {
		c.m.after(0, func() { c.m.notify(fmt.Sprintf("%s: %d,%d", c.Name, id, code)) })
	}
}

// qiCreate makes a socket, or tells the code of why not.
func qiCreate(c *Call, id int) (*modemSocket, int) {
	s := &c.m.sockets
	switch {
	case s.service == 0:
		return nil, 561
	case s.list[id] != nil:
		return nil, 563
	}
	return s.create(c.m, id, "tcp"), 0
}

func qiConnect(k *modemSocket, report func(code int)) {
	k.connect(func(err error) {
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			k.stop()
			report(566) // the number stays in use until +QICLOSE
			return
		}
		report(0)
	})
}

// qsslOpen connects with the settings of a TLS context: "BG96 SSL AT Commands
// Manual".
func qsslOpen(c *Call) Result {
	context, id, port := c.between(1, 0, 5, 0), c.between(2, 0, 11, 0), c.between(4, 1, 65535, 0)
	if c.bad || c.Op != Set || c.count() < 5 {
		return ERROR
	}
	k, code := qiCreate(c, id)
	report := qiReport(c, id)
	if code != 0 {
		report(code)
		return OK
	}
	profile := *c.m.sockets.profile(context)
	k.host, k.port, k.tls = c.text(3, ""), port, &profile
	qiConnect(k, report)
	return OK
}

// qsslConfig sets one value of a TLS context. BG9x alone can check the host.
func qsslConfig(c *Call) Result {
	name, context := strings.ToLower(c.text(0, "")), c.between(1, 0, 5, 0)
	if c.bad || c.Op != Set || !c.given(1) {
		return ERROR
	}
	p := c.m.sockets.profile(context)
	switch name {
	case "seclevel":
		p.verify = c.between(2, 0, 2, 0) > 0
	case "checkhost":
		if !strings.HasPrefix(c.m.kind.Name, "BG") {
			return CME(cmeInvalidParam)
		}
		p.named = c.between(2, 0, 1, 0) == 1
	case "cacert":
		p.root = c.text(2, "")
	case "ignorelocaltime":
		p.dates = c.between(2, 0, 1, 1) == 0
	case "sni":
		p.sni = map[int]string{1: "*"}[c.between(2, 0, 1, 0)]
	case "sslversion", "ciphersuite", "negotiatetime", "clientcert", "clientkey":
	default:
		return CME(cmeInvalidParam)
	}
	return OK
}

// qfUpload stores a file: "Quectel BG96 FILE AT Commands Manual".
func qfUpload(c *Call) Result {
	name, size := c.text(0, ""), c.between(1, 1, certificateLimit, 0)
	if c.bad || c.Op != Set || name == "" || size == 0 {
		return ERROR
	}
	return c.askOctets("\r\nCONNECT\r\n", size, func(data []byte) Result {
		c.m.sockets.store(name, data)
		sum := 0
		for i, b := range data { // the exclusive or of all pairs
			sum ^= int(b) << (8 * (1 - i%2))
		}
		c.Info(fmt.Sprintf("+QFUPL: %d,%x", size, sum))
		return OK
	})
}

func qiSend(c *Call) Result {
	id, size := c.between(0, 0, 11, 0), c.between(1, 0, 1460, 0)
	host, port := c.text(2, ""), c.between(3, 1, 65535, 0)
	k := qiSocket(c, id)
	if c.bad || c.Op != Set || k == nil || k.eof || c.m.sockets.tooLong(size) || !k.connected() && (k.bound == 0 || host == "") {
		return ERROR
	}
	if size == 0 {
		c.Info(fmt.Sprintf("%s: %d,%d,0", c.Name, k.sent, k.sent))
		return OK
	}
	return c.prompted("\r\n> ", size, func(data []byte) Result {
		if k.queued+size > socketBuffer {
			return Final("SEND FAIL") // all or nothing
		}
		done := func(_ int, err error) Result {
			if err != nil {
				return Final("SEND FAIL")
			}
			return Final("SEND OK")
		}
		if !k.connected() {
			return k.sendTo(c, host, port, data, done)
		}
		return k.send(c, data, done)
	})
}

// qiRead names the sender where that can vary.
func qiRead(c *Call) Result {
	k := qiSocket(c, c.between(0, 0, 11, 0))
	if c.bad || k == nil {
		return ERROR
	}
	if c.given(1) && c.number(1, 0) == 0 {
		c.Info(fmt.Sprintf("%s: %d,%d,%d", c.Name, k.size, 0, k.size))
		return OK
	}
	data, from := k.take(c.between(1, 0, 1500, 1500))
	if len(data) == 0 {
		c.Info(c.Name + ": 0")
		return OK
	}
	head := fmt.Sprintf("%s: %d", c.Name, len(data))
	if from.IsValid() && !k.peer.IsValid() {
		head += fmt.Sprintf(`,"%s",%d`, from.Addr(), from.Port())
	}
	return c.block(head+"\r\n", data, "\r\n")
}

func qiClose(c *Call) Result {
	if k := qiSocket(c, c.between(0, 0, 11, 0)); k != nil {
		k.close()
	}
	return OK
}

func qiState(c *Call) Result {
	for id := range 12 {
		k := qiSocket(c, id)
		if k == nil || c.Op == Set && id != c.number(1, 0) {
			continue
		}
		state, kind := 2, strings.ToUpper(k.network)
		switch {
		case k.eof:
			state = 4
		case k.bound != 0 && !k.connected():
			kind = "UDP SERVICE"
		case !k.connected():
			state = 1
		}
		tail := ""
		if k.tls != nil {
			kind, tail = "SSLClient", ",1"
		}
		c.Info(fmt.Sprintf(`%s: %d,"%s","%s",%d,5087,%d,1,%d,0,"uart1"%s`, c.Name, id, kind, k.host, k.port, state, id, tail))
	}
	return OK
}

func qiName(c *Call) Result {
	c.resolve(c.text(1, ""), func(addr string, ok bool) {
		c.m.after(0, func() {
			if !ok {
				c.m.notify(`+QIURC: "dnsgip",565`)
				return
			}
			c.m.notify(`+QIURC: "dnsgip",0,1,600`)
			c.m.notify(fmt.Sprintf(`+QIURC: "dnsgip","%s"`, addr))
		})
	})
	return OK
}
