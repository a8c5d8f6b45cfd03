package at

import "fmt"

// matchStage offers a line to the next stage of x.
func (x *exchange) matchStage(text []byte) (line stageLine, matched bool) {
	if x.stage >= len(x.cmd.Stages) {
		return stageLine{}, false
	}
	s := string(text)
	matched, err := x.cmd.Stages[x.stage].Match(s)
	return stageLine{s, err}, matched
}

// stageLine is a line that a stage has matched, and what it means.
type stageLine struct {
	text string
	err  error
}

// stageDone adds the line of a stage to the answer. Before the final result
// that is all; a failure is told when that has come.
func (m *Modem) stageDone(x *exchange, line stageLine) {
	x.stage++
	x.weigh(m, len(line.text))
	x.resp.Info = append(x.resp.Info, Info{Text: line.text})
	if line.err != nil && x.fault == nil {
		x.fault = line.err
	}
	if x.abandoned {
		m.late(line.text)
	}
}

// awaitStages lets x wait for its later lines beside the line, which is free
// for other commands meanwhile: the modem has given its final result.
func (m *Modem) awaitStages(x *exchange) {
	m.staged = append(m.staged, x)
	m.stageStarts(x)
}

func (m *Modem) stageStarts(x *exchange) {
	x.stageDeadline = 0
	if d := x.cmd.Stages[x.stage].Timeout; d > 0 {
		x.stageDeadline = m.after(d)
		m.timer.arm(m, x.stageDeadline)
	}
}

// stageLine offers a line to the commands that wait for a stage, the oldest
// first.
func (m *Modem) stageLine(text []byte) bool {
	for _, x := range m.staged {
		line, matched := x.matchStage(text)
		if !matched {
			continue
		}
		m.stageDone(x, line)
		if x.fault == nil && x.stage < len(x.cmd.Stages) {
			m.stageStarts(x)
			return true
		}
		m.staged = without(m.staged, x)
		m.finish(x, x.fault)
		return true
	}
	return false
}

// expireStaged fails the commands whose stage did not come. The line is in
// step all the same.
func (m *Modem) expireStaged() {
	for i := 0; i < len(m.staged); {
		x := m.staged[i]
		if !m.come(x.deadline) && !m.come(x.stageDeadline) {
			i++
			continue
		}
		m.staged = append(m.staged[:i], m.staged[i+1:]...)
		m.finish(x, fmt.Errorf("%w: the final result came, the line of stage %d did not", ErrNoAnswer, x.stage+1))
	}
}
