package supervisor

import (
	"cmp"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/hub"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/schedule"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/world"
)

// newSimMailbox returns the mailbox of an actor. The libraries that follow a hub send some
// messages at one instant in no fixed order, so those actors have mailboxes that order them.
func newSimMailbox(name string, m *schedule.Mailbox, around world.Surroundings) actor.Mailbox {
	const top = rootName + "/" + hubName
	switch plain := (simMailbox{m}); name {
	case top + "/" + engineName:
		return &deliveryMailbox{simMailbox: plain, change: viaHub}
	case top, top + "/" + requestsName:
		return &deliveryMailbox{simMailbox: plain, change: func(message any) any { return message }}
	case top + "/" + hub.LeaseName:
		return leaseMailbox{plain, around.Later}
	default:
		return plain
	}
}

// leaseMailbox is that of the lease actor. The library of the election sends its last two
// messages from two goroutines.
type leaseMailbox struct {
	simMailbox
	later func(who string, f func())
}

// PostUserMessage implements actor.Mailbox.
func (m leaseMailbox) PostUserMessage(message any) {
	m.later(simTree{}.Describe(message), func() { m.Post(message) })
}

// deliveryMailbox is that of an actor that subscribes to the informers of a hub, which deliver
// the objects of a list in no order.
type deliveryMailbox struct {
	simMailbox
	change func(message any) any

	mu    sync.Mutex
	batch []delivered
}

// delivered is a message of an informer.
type delivered struct {
	message any
	// object names the object; empty for the end of the first list.
	object string
}

// PostUserMessage implements actor.Mailbox.
func (m *deliveryMailbox) PostUserMessage(message any) {
	object, ok := deliveredObject(message)
	if !ok {
		m.Post(m.change(message))
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.batch = append(m.batch, delivered{message, object}); len(m.batch) == 1 {
		time.AfterFunc(time.Nanosecond, m.flush)
	}
}

// flush posts the messages of one instant: those of an object in their order, and the end of
// a list after its objects.
func (m *deliveryMailbox) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.SortStableFunc(m.batch, func(a, b delivered) int {
		if (a.object == "") != (b.object == "") {
			return cmp.Compare(b.object, a.object)
		}
		return cmp.Compare(a.object, b.object)
	})
	for _, d := range m.batch {
		m.Post(d.message)
	}
	m.batch = nil
}

// deliveredObject returns the kind and the name of the object that an informer delivers, and
// whether the message is such a delivery. The types of these messages are private.
func deliveredObject(message any) (string, bool) {
	done, ok := message.(task.Done)
	if !ok {
		return "", false
	}
	value := reflect.ValueOf(done).FieldByName("result").FieldByName("Value").Elem()
	if value.Kind() != reflect.Struct || value.Type().Name() != "delivery" {
		return "", false
	}
	event := value.FieldByName("event").Elem()
	if event.Type() == reflect.TypeFor[kube.Synced]() {
		return "", true
	}
	object := event.FieldByName("Object").Elem()
	return object.Type().String() + " " + object.Elem().FieldByName("Name").String(), true
}
