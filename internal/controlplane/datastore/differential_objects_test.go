package datastore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/apis/example"
	"k8s.io/apiserver/pkg/storage"
)

// errRefusal is the error of an update or a deletion that its caller refuses.
var errRefusal = errors.New("refused by the caller")

// key returns the key of a random object. Some are prefixes of others.
func (d *differential) key() string {
	return podsPath + pick(d, "a", "ab", "a-b") + "/" + pick(d, "x", "xy", "x-y", "z")
}

func (d *differential) color() string { return pick(d, "red", "green", "") }

// newPod returns the object of a key, with a UID of its own.
func newPod(key string, uid int) *example.Pod {
	namespace, name, _ := strings.Cut(strings.TrimPrefix(key, podsPath), "/")
	return &example.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(strconv.Itoa(uid))}}
}

// saw records the object of a key for a later operation.
func (b *backend) saw(key string, pod *example.Pod) { b.seen[key] = pod.DeepCopy() }

// create creates an object, which may exist.
func (d *differential) create() operation {
	key, uid, color, node, versioned := d.key(), d.next(), d.color(), pick(d, "n1", "n2"), d.chance(5)
	return operation{
		text: fmt.Sprintf("create %s color=%s node=%s with a resource version=%v", key, color, node, versioned),
		run: func(ctx context.Context, b *backend) string {
			pod, out := newPod(key, uid), &example.Pod{}
			pod.Labels, pod.Spec.NodeName = map[string]string{"color": color}, node
			if versioned {
				pod.ResourceVersion = "1"
			}
			err := b.storage.Create(ctx, key, pod, out, 0)
			b.refresh(ctx)
			if err != nil {
				return errorKind(err)
			}
			b.saw(key, out)
			return b.describe(out)
		},
	}
}

// condition is a precondition on an object.
type condition string

const (
	noCondition  condition = ""
	seenUID      condition = "the UID that was seen"
	otherUID     condition = "another UID"
	seenVersion  condition = "the version that was seen"
	otherVersion condition = "another version"
)

func (d *differential) condition() condition {
	return pick(d, noCondition, noCondition, seenUID, otherUID, seenVersion, otherVersion)
}

func (b *backend) preconditions(key string, c condition) *storage.Preconditions {
	seen := b.seen[key]
	if seen == nil {
		seen = &example.Pod{}
	}
	version := seen.ResourceVersion
	switch c {
	case seenUID:
		return storage.NewUIDPreconditions(string(seen.UID))
	case otherUID:
		return storage.NewUIDPreconditions("other")
	case otherVersion:
		version = strconv.FormatInt(b.revisions[0], 10)
	case seenVersion:
	case noCondition:
		return nil
	}
	return &storage.Preconditions{ResourceVersion: &version}
}

// suggestion is an object that a write gets as its possible current state, or nil.
func (b *backend) suggestion(key string, wanted bool) runtime.Object {
	if pod := b.seen[key]; wanted && pod != nil {
		return pod.DeepCopy()
	}
	return nil
}

// podChange is what an update does to an object.
type podChange struct {
	key, color string
	counter    int
	// same leaves the object as it is; refused is the color of objects that are not changed.
	same    bool
	refused string
}

// apply changes an object, or the empty one in place of a missing object.
func (c podChange) apply(pod *example.Pod) (*example.Pod, error) {
	if c.refused != "" && pod.Labels["color"] == c.refused {
		return nil, errRefusal
	}
	if pod.Name == "" {
		pod = newPod(c.key, c.counter)
	}
	if c.same {
		return pod, nil
	}
	pod.Labels = map[string]string{"color": c.color}
	pod.Annotations = map[string]string{"counter": strconv.Itoa(c.counter)}
	return pod, nil
}

// update changes an object.
func (d *differential) update() operation {
	c := podChange{key: d.key(), color: d.color(), counter: d.next(), same: d.chance(15)}
	if d.chance(15) {
		c.refused = "red"
	}
	ignoreNotFound, suggested, condition := d.chance(30), d.chance(50), d.condition()
	return operation{
		text: fmt.Sprintf("update %+v, ignore not found=%v, suggestion=%v, if %s", c, ignoreNotFound, suggested, condition),
		run: func(ctx context.Context, b *backend) string {
			return b.update(ctx, c, ignoreNotFound, b.preconditions(c.key, condition), b.suggestion(c.key, suggested))
		},
	}
}

func (b *backend) update(ctx context.Context, c podChange, ignoreNotFound bool, preconditions *storage.Preconditions, suggestion runtime.Object) string {
	out := &example.Pod{}
	var tries []string
	try := func(input runtime.Object, meta storage.ResponseMeta) (runtime.Object, *uint64, error) {
		pod, ok := input.(*example.Pod)
		if !ok {
			return nil, nil, fmt.Errorf("the input is %T", input)
		}
		at := b.revision(int64(meta.ResourceVersion))
		tries = append(tries, at+" "+b.describe(pod))
		changed, err := c.apply(pod)
		return changed, nil, err
	}
	err := b.storage.GuaranteedUpdate(ctx, c.key, out, ignoreNotFound, preconditions, try, suggestion)
	b.refresh(ctx)
	result := "tries: " + strings.Join(tries, "; ")
	if err != nil {
		return errorKind(err) + " " + result
	}
	b.saw(c.key, out)
	return b.describe(out) + " " + result
}

// remove deletes an object.
func (d *differential) remove() operation {
	key, refused, suggested, condition := d.key(), d.chance(15), d.chance(50), d.condition()
	return operation{
		text: fmt.Sprintf("delete %s, refused=%v, suggestion=%v, if %s", key, refused, suggested, condition),
		run: func(ctx context.Context, b *backend) string {
			out := &example.Pod{}
			var tries []string
			validate := func(_ context.Context, object runtime.Object) error {
				tries = append(tries, b.describe(object))
				if refused {
					return errRefusal
				}
				return nil
			}
			err := b.storage.Delete(ctx, key, out, b.preconditions(key, condition), validate, b.suggestion(key, suggested), storage.DeleteOptions{})
			b.refresh(ctx)
			result := " tries: " + strings.Join(tries, "; ")
			if err != nil {
				return errorKind(err) + result
			}
			return b.describe(out) + result
		},
	}
}

// get reads an object.
func (d *differential) get() operation {
	key, at, ignoreNotFound := d.key(), d.version(), d.chance(30)
	return operation{
		text: fmt.Sprintf("get %s at %s, ignore not found=%v", key, at.text, ignoreNotFound),
		run: func(ctx context.Context, b *backend) string {
			out := &example.Pod{}
			err := b.storage.Get(ctx, key, storage.GetOptions{ResourceVersion: at.of(b), IgnoreNotFound: ignoreNotFound}, out)
			if err != nil {
				return errorKind(err)
			}
			if out.Name != "" {
				b.saw(key, out)
			}
			return b.describe(out)
		},
	}
}
