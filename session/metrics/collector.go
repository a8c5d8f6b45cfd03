package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/telemetry"
)

// Sources are what a collector shows. They stay their owner's, and may be closed
// before the collector is given up.
type Sources struct {
	// Sessions are those that are in no bank.
	Sessions []*session.Session
	// Banks show each modem that they have at the time of the scrape.
	Banks []*session.Bank
	// Endpoints show each peer that they have at the time of the scrape.
	Endpoints []*telemetry.Endpoint
}

// New returns a collector for sources. Its methods may be called by several
// goroutines at once, and wait for nothing.
func New(sources Sources) prometheus.Collector { return &collector{sources} }

type collector struct{ sources Sources }

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	describe(to, modemMetrics)
	describe(to, bankMetrics)
	describe(to, linkMetrics)
	describe(to, pathMetrics)
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	c.collectModems(to)
	c.collectLinks(to)
}

// metric is one family of metrics about a T.
type metric[T any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	// read calls add with each value, and with the value of the family's own
	// label if it has one.
	read func(of T, add func(value float64, own ...string))
}

func counter[T any, N number](name, help string, labels []string, read func(T) N) metric[T] {
	return metric[T]{describing(name, help, labels), prometheus.CounterValue, func(of T, add func(float64, ...string)) { add(float64(read(of))) }}
}

func gauge[T any, N number](name, help string, labels []string, read func(T) N) metric[T] {
	return metric[T]{describing(name, help, labels), prometheus.GaugeValue, func(of T, add func(float64, ...string)) { add(float64(read(of))) }}
}

// flag is a gauge of something that is so, 1, or is not, 0.
func flag[T any](name, help string, labels []string, read func(T) bool) metric[T] {
	return gauge(name, help, labels, func(of T) int { return oneIf(read(of)) })
}

type number interface{ ~int | ~uint64 | ~float64 }

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

func describing(name, help string, labels []string) *prometheus.Desc {
	return prometheus.NewDesc("telemodem_"+name, help, labels, nil)
}

func describe[T any](to chan<- *prometheus.Desc, metrics []metric[T]) {
	for _, m := range metrics {
		to <- m.desc
	}
}

// collect reads all metrics of one thing, whose labels have these values.
func collect[T any](to chan<- prometheus.Metric, metrics []metric[T], of T, labels ...string) {
	for _, m := range metrics {
		m.read(of, func(value float64, own ...string) {
			values := append(labels[:len(labels):len(labels)], own...)
			to <- prometheus.MustNewConstMetric(m.desc, m.kind, value, values...)
		})
	}
}
