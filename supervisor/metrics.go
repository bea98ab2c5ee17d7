package supervisor

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics exports the picture of the tree to Prometheus. Actors are counted by role,
// because a name would be a time series for each container.
type metrics struct{ picture *Picture }

type descriptors struct{ actors, mailbox, restarts, deadLetters *prometheus.Desc }

func describe() descriptors {
	role := []string{"role"}
	return descriptors{
		actors:      prometheus.NewDesc("rdd_actors", "Running actors.", []string{"role", "state"}, nil),
		mailbox:     prometheus.NewDesc("rdd_actor_mailbox_messages", "Messages that wait in mailboxes.", role, nil),
		restarts:    prometheus.NewDesc("rdd_actor_failures_total", "Failures of actors.", role, nil),
		deadLetters: prometheus.NewDesc("rdd_dead_letters_total", "Messages to actors that have ended.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (metrics) Describe(ch chan<- *prometheus.Desc) {
	d := describe()
	for _, desc := range []*prometheus.Desc{d.actors, d.mailbox, d.restarts, d.deadLetters} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (m metrics) Collect(ch chan<- prometheus.Metric) {
	d := describe()
	type roleState struct{ role, state string }
	actors, mailbox := map[roleState]int{}, map[string]int{}
	for _, n := range m.picture.Nodes() {
		role := roleOf(n.Name)
		actors[roleState{role, n.State}]++
		mailbox[role] += n.Mailbox
	}
	for k, n := range actors {
		ch <- prometheus.MustNewConstMetric(d.actors, prometheus.GaugeValue, float64(n), k.role, k.state)
	}
	for role, n := range mailbox {
		ch <- prometheus.MustNewConstMetric(d.mailbox, prometheus.GaugeValue, float64(n), role)
	}
	failures, dead := m.picture.totals()
	for role, n := range failures {
		ch <- prometheus.MustNewConstMetric(d.restarts, prometheus.CounterValue, float64(n), role)
	}
	ch <- prometheus.MustNewConstMetric(d.deadLetters, prometheus.CounterValue, float64(dead))
}

// roleOf returns the part of an actor's name that all actors of its kind share: root, vm,
// engine, session, container.
func roleOf(name string) string {
	parts := strings.Split(name, "/")
	switch len(parts) {
	case 1, 2:
		return parts[len(parts)-1]
	default:
		return parts[2]
	}
}
