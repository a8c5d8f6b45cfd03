package fakemodem

import (
	"container/heap"
	"time"
)

// schedule is what will happen in a network, ordered by time and then by the
// order of asking, so that a run repeats. One timer of the time package serves
// all of it: an idle modem costs no goroutine and no timer of its own.
type schedule struct {
	queue eventQueue
	timer *time.Timer
	count uint64
}

// event is one thing to do at one time, with the network's lock held.
type event struct {
	at    time.Time
	order uint64
	run   func()
	index int // place in the queue; negative when it is not in it
}

// after runs fn in d from now, with n.mu held. The caller holds n.mu too.
// After the network has been closed nothing is scheduled any more.
func (n *Network) after(d time.Duration, fn func()) *event {
	n.schedule.count++
	e := &event{at: time.Now().Add(max(d, 0)), order: n.schedule.count, run: fn, index: -1}
	if n.closed {
		return e
	}
	heap.Push(&n.schedule.queue, e)
	if e.index == 0 {
		n.arm()
	}
	return e
}

// cancel takes an event out of the schedule; nil and past events are fine.
func (n *Network) cancel(e *event) {
	if e == nil || e.index < 0 {
		return
	}
	heap.Remove(&n.schedule.queue, e.index)
	e.index = -1
}

// arm sets the timer to the first event.
func (n *Network) arm() {
	if len(n.schedule.queue) == 0 || n.closed {
		return
	}
	d := max(time.Until(n.schedule.queue[0].at), 0)
	if n.schedule.timer == nil {
		n.schedule.timer = time.AfterFunc(d, n.tick)
		return
	}
	n.schedule.timer.Reset(d)
}

// tick runs what is due.
func (n *Network) tick() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for !n.closed && len(n.schedule.queue) > 0 && !n.schedule.queue[0].at.After(time.Now()) {
		e := heap.Pop(&n.schedule.queue).(*event)
		e.run()
	}
	n.arm()
}

// eventQueue is a heap by time and order.
type eventQueue []*event

func (q eventQueue) Len() int { return len(q) }

func (q eventQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].order < q[j].order
	}
	return q[i].at.Before(q[j].at)
}

func (q eventQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *eventQueue) Push(x any) {
	e := x.(*event)
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	e.index = -1
	return e
}
