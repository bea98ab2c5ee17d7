package supervisor

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics exports the picture of the tree to Prometheus. Actors are counted by home and
// role, because a name would be a time series for each container.
type metrics struct{ picture *Picture }

type descriptors struct{ actors, mailbox, restarts, deadLetters *prometheus.Desc }

func describe() descriptors {
	role := []string{"home", "role"}
	return descriptors{
		actors:      prometheus.NewDesc("rdd_actors", "Running actors.", []string{"home", "role", "state"}, nil),
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
	type partState struct {
		part
		state string
	}
	actors, mailbox := map[partState]int{}, map[part]int{}
	for _, n := range m.picture.Nodes() {
		of := partOf(n.Name)
		actors[partState{of, n.State}]++
		mailbox[of] += n.Mailbox
	}
	for k, n := range actors {
		ch <- prometheus.MustNewConstMetric(d.actors, prometheus.GaugeValue, float64(n), k.home, k.role, k.state)
	}
	for of, n := range mailbox {
		ch <- prometheus.MustNewConstMetric(d.mailbox, prometheus.GaugeValue, float64(n), of.home, of.role)
	}
	failures, dead := m.picture.totals()
	for of, n := range failures {
		ch <- prometheus.MustNewConstMetric(d.restarts, prometheus.CounterValue, float64(n), of.home, of.role)
	}
	ch <- prometheus.MustNewConstMetric(d.deadLetters, prometheus.CounterValue, float64(dead))
}

// part is what all actors of a kind in one home share.
type part struct {
	// home is "hub" for the hub actor and all below it, and "local" for the others.
	home string
	// role is the part of the name that they share: root, vm, engine, session, container.
	role string
}

func partOf(name string) part {
	const hub = rootName + "/" + hubName
	home := "local"
	switch {
	case name == hub:
		return part{home: "hub", role: hubName}
	case strings.HasPrefix(name, hub+"/"):
		home, name = "hub", rootName+strings.TrimPrefix(name, hub)
	}
	parts := strings.Split(name, "/")
	return part{home: home, role: parts[min(len(parts)-1, 2)]}
}

// roleOf returns the role of an actor in both homes.
func roleOf(name string) string { return partOf(name).role }
