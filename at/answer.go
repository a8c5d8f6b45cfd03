package at

import (
	"bytes"
	"fmt"
)

// answer offers a line to the command in flight and tells whether it took it.
func (m *Modem) answer(x *exchange, line, text []byte) bool {
	if m.promptLine(x, text) {
		return true
	}
	if m.bootLine(x, text) {
		return true
	}
	if result, final := x.result(m, text); result != notFinal {
		m.final(x, result, final)
		return true
	}
	s, matched := x.matchStage(text)
	switch {
	case matched:
		m.stageDone(x, s)
		return true
	case x.named(text):
		if !x.accepts(text) {
			return false
		}
		m.inform(x, text)
		return true
	case x.unnamed() && !m.known(text) && isText(text):
		m.inform(x, line)
		return true
	}
	return false
}

// result classifies a line as a result of x.
func (x *exchange) result(m *Modem, text []byte) (outcome, string) {
	for _, f := range x.cmd.Finals {
		if matchesFinal(text, f) {
			return success, string(text)
		}
	}
	for _, f := range x.cmd.Fails {
		if matchesFinal(text, f) {
			return failure, string(text)
		}
	}
	return finalResult(text, m.cfg.Finals)
}

// inform adds an information line to the answer of x.
func (m *Modem) inform(x *exchange, line []byte) {
	x.graceDue = 0 // the OK before was not ours (F20), or came first (F17)
	text := m.slab.add(line)
	if x.abandoned {
		m.late(text)
	}
	if x.fault == nil {
		x.weigh(m, len(text))
	}
	if x.fault == nil {
		if x.resp.Info == nil {
			x.resp.Info = m.slab.info(x, text)
		}
		x.resp.Info = append(x.resp.Info, Info{Text: text, Body: m.in.quoted})
	}
	if x.cmd.Body != nil && m.in.quoted == nil {
		m.expectBody(text, x.cmd.Body(text), x, len(x.resp.Info)-1)
	}
	if x.cmd.NoFinal && len(x.cmd.Stages) == 0 && m.in.block.left == 0 && len(m.in.bodies) == 0 {
		m.conclude(x, success, "")
		m.earliest = max(m.earliest, m.after(m.cfg.Quiet)) // a result may come even so
	}
}

// final ends the answer of x by a final result.
func (m *Modem) final(x *exchange, o outcome, text string) {
	if o == success && text == "OK" && x.owesInformation() && !x.aborting && x.graceDue == 0 {
		// A second result of the command before (F20) looks just like this.
		x.graceDue = m.after(extraGrace)
		m.timer.arm(m, x.graceDue)
		return
	}
	if o == success && x.awaitsEntry() {
		m.untimely(x, text)
		return
	}
	m.conclude(x, o, text)
}

// awaitsEntry tells whether the modem cannot have done what x says, because the
// data for it have not been written.
func (x *exchange) awaitsEntry() bool {
	p := x.cmd.Prompt
	return p != nil && len(p.End) > 0 && !x.abandoned && !x.aborting && (x.prompt == promptAwait || x.prompt == promptGap)
}

// untimely ends x by a success that must be another command's: an answer that
// nobody waited for any more, between the prompt and the data. The entry that
// is open, or may open yet, is closed.
func (m *Modem) untimely(x *exchange, text string) {
	open := m.closePrompt(x)
	m.dropBodies(x)
	m.finish(x, fmt.Errorf("%w: %s came before the data were written", ErrNoAnswer, text))
	m.leave(x)
	m.late(text)
	m.lose(x, "a result before the data")
	m.search(open)
}

// owesInformation tells whether an answer without information is suspect.
func (x *exchange) owesInformation() bool {
	if len(x.resp.Info) > 0 || x.fault != nil || x.asked.rest != "" || x.abandoned {
		return false
	}
	return x.asked.first.form == formRead || x.asked.first.name == "+CSQ"
}

// conclude ends x with a final result: the modem owes no more than the lines
// of later stages.
func (m *Modem) conclude(x *exchange, o outcome, text string) {
	dial := x.call != nil
	foreign := o == oddResult && !x.isCall() // a call's, so it may not be the end of x
	open := promptClosed
	if foreign {
		open = m.closePrompt(x)
	}
	m.leave(x)
	m.dropBodies(x)
	complete := o == success && len(x.resp.Info) > 0
	if x.aborting && x.rerun && !x.finished && o != connected && !complete {
		m.requeue(x)
		return
	}
	if o == success {
		m.echo.obeyed(x.cmd.Text)
	}
	if x.abandoned {
		if text != "" {
			m.late(text)
		}
		if o == connected {
			m.unwantedData(x.call)
		}
		if foreign {
			m.doubt(x, text, open)
		}
		return
	}
	x.resp.Final = text
	switch {
	case o == connected && dial && x.call.state == callOver: // closed while it was resumed
		m.finish(x, ErrCallEnded)
		m.unwantedData(nil)
	case o == connected && dial, o == success && dial && x.call.handedOver:
		m.connected(x)
		m.finish(x, nil)
	case o == connected:
		m.finish(x, ErrDataMode)
		m.unwantedData(nil)
	case o == oddResult || o == failure:
		m.finish(x, resultError(text))
		if foreign {
			m.doubt(x, text, open)
		}
	case x.fault != nil:
		m.finish(x, x.fault)
	case x.stage < len(x.cmd.Stages):
		m.awaitStages(x)
	default:
		m.finish(x, nil)
	}
}

// doubt notes that x was ended by the result of a call, behind which its own may
// come yet.
func (m *Modem) doubt(x *exchange, text string, open openPrompt) {
	m.lose(x, "result of a call: "+text)
	m.mayOpenLate(x)
	m.search(open)
}

// isCall tells whether x deals with a call, so that results of calls are its
// own: ATD, ATA, ATO, ATH and the end of a data call.
func (x *exchange) isCall() bool {
	if x.call != nil || x.own || x.asked.first.name == "+CHUP" {
		return true
	}
	return x.cmd.Text != "" && bytes.IndexByte([]byte("DAOHdaoh"), x.cmd.Text[0]) >= 0
}

// stray delivers a line that is no answer.
func (m *Modem) stray(text []byte) {
	if m.bootLine(nil, text) {
		return
	}
	rule, known := m.cfg.rule(text)
	if known && rule.Body != nil {
		head := string(text)
		if m.expectBody(head, rule.Body(head), nil, 0) {
			return
		}
	}
	kind := KindUnknown
	switch o, _ := finalResult(text, m.cfg.Finals); {
	case known || m.subscribed(text):
		kind = KindKnown
	case o != notFinal:
		m.stats.StrayResults++
		kind = KindLate
	case !isText(text) || m.isPromptRemains(text):
		m.stats.Noise += len(text)
		return
	}
	m.notify(Notification{Line: string(text), Kind: kind})
	if kind == KindKnown && rule.Body == nil {
		m.learnRoute(text)
	}
}

// late delivers a line of an answer that nobody waits for.
func (m *Modem) late(text string) {
	m.stats.Late++
	m.notify(Notification{Line: text, Kind: KindLate})
}

// known tells whether a line is a notification by profile or subscription.
func (m *Modem) known(text []byte) bool {
	_, ok := m.cfg.rule(text)
	return ok || m.subscribed(text)
}

// isText tells noise on the line from what a modem may have meant to say.
func isText(text []byte) bool {
	for _, c := range text {
		if c < ' ' && c != '\t' || c == 0x7F {
			return false
		}
	}
	return bytes.IndexFunc(text, func(r rune) bool { return r == '\uFFFD' }) < 0
}

// isPromptRemains tells whether a line is nothing but prompts that modems
// repeat while a text is entered.
func (m *Modem) isPromptRemains(text []byte) bool {
	return len(bytes.Trim(text, "> ")) == 0
}
