package datastore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/apis/example"
	"k8s.io/apiserver/pkg/storage"
)

// requestedVersion is a resource version that a client requests. The revision differs between the
// backends.
type requestedVersion struct {
	text string
	of   func(*backend) string
}

// latestVersion requests no version.
func latestVersion() requestedVersion {
	return requestedVersion{"latest", func(*backend) string { return "" }}
}

// versionAt requests that after a change.
func versionAt(index int) requestedVersion {
	return requestedVersion{fmt.Sprintf("r%d", index), func(b *backend) string { return strconv.FormatInt(b.revisions[index], 10) }}
}

func futureVersion() requestedVersion {
	return requestedVersion{"future", func(b *backend) string {
		return strconv.FormatInt(b.revisions[len(b.revisions)-1]+1_000_000_000, 10)
	}}
}

// version returns a random version, also one that is compacted.
func (d *differential) version() requestedVersion {
	switch n := d.random.IntN(10); {
	case n < 3:
		return latestVersion()
	case n < 4:
		return requestedVersion{"0", func(*backend) string { return "0" }}
	case n < 5:
		return futureVersion()
	case n < 6:
		return requestedVersion{"invalid", func(*backend) string { return "x1" }}
	case n < 7:
		return versionAt(d.compacted)
	}
	return versionAt(d.random.IntN(d.last() + 1))
}

// selection selects objects.
type selection struct {
	text      string
	predicate storage.SelectionPredicate
	// satisfy makes an object match.
	satisfy func(*example.Pod)
}

func (d *differential) selection() selection {
	s := selection{text: "everything", predicate: storage.Everything, satisfy: func(*example.Pod) {}}
	switch color := pick(d, "red", "green"); d.random.IntN(6) {
	case 0:
		s.text, s.predicate.Label = "color="+color, labels.SelectorFromSet(labels.Set{"color": color})
		s.satisfy = func(p *example.Pod) { p.Labels = map[string]string{"color": color} }
	case 1:
		s.text, s.predicate.Field = "node=n1", fields.OneTermEqualSelector("spec.nodeName", "n1")
		s.satisfy = func(p *example.Pod) { p.Spec.NodeName = "n1" }
	case 2:
		s.text, s.predicate.Label = "no color", labels.SelectorFromSet(labels.Set{"color": ""})
		s.satisfy = func(p *example.Pod) { p.Labels = map[string]string{"color": ""} }
	}
	s.predicate.GetAttrs = func(object runtime.Object) (labels.Set, fields.Set, error) {
		pod, ok := object.(*example.Pod)
		if !ok {
			return nil, nil, fmt.Errorf("no pod: %T", object)
		}
		return pod.Labels, fields.Set{"metadata.name": pod.Name, "spec.nodeName": pod.Spec.NodeName}, nil
	}
	return s
}

// scope is a key or a prefix of keys.
type scope struct {
	path      string
	recursive bool
}

func (d *differential) scope() scope {
	switch d.random.IntN(6) {
	case 0:
		return scope{d.key(), false}
	case 1, 2:
		return scope{podsPath + pick(d, "a", "ab", "a-b"), true}
	}
	return scope{strings.TrimSuffix(podsPath, "/"), true}
}

// list lists objects, or continues an earlier list.
func (d *differential) list() operation {
	at, match, selected, in := d.version(), pick(d, "", metav1.ResourceVersionMatchExact, metav1.ResourceVersionMatchNotOlderThan), d.selection(), d.scope()
	limit, slot, continued := pick(d, 0, 0, 1, 2, 5), d.random.IntN(3), d.chance(50)
	if continued {
		at = latestVersion()
	}
	return operation{
		text: fmt.Sprintf("list %+v at %s %s, %s, limit %d, continue %v in slot %d", in, at.text, match, selected.text, limit, continued, slot),
		run: func(ctx context.Context, b *backend) string {
			options := storage.ListOptions{ResourceVersion: at.of(b), ResourceVersionMatch: match, Predicate: selected.predicate, Recursive: in.recursive}
			options.Predicate.Limit = int64(limit)
			if continued {
				options.Predicate.Continue = b.tokens[slot]
			}
			return b.list(ctx, in, options, slot)
		},
	}
}

func (b *backend) list(ctx context.Context, in scope, options storage.ListOptions, slot int) string {
	out := &example.PodList{}
	if err := b.storage.GetList(ctx, in.path, options, out); err != nil {
		var expired apierrors.APIStatus
		if errors.As(err, &expired) {
			if token := expired.Status().Continue; token != "" { // for the rest at the latest revision
				b.tokens[slot] = token
				return errorKind(err) + " " + b.token(in, token)
			}
		}
		return errorKind(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "at %s", b.resourceVersion(out.ResourceVersion))
	if out.RemainingItemCount != nil {
		fmt.Fprintf(&text, ", %d remain", *out.RemainingItemCount)
	}
	if out.Continue != "" {
		b.tokens[slot] = out.Continue
		text.WriteString(", continue: " + b.token(in, out.Continue))
	}
	for i := range out.Items {
		text.WriteString("\n  " + b.describe(&out.Items[i]))
	}
	return text.String()
}

// token returns what a continue token says.
func (b *backend) token(in scope, token string) string {
	from, revision, err := storage.DecodeContinue(token, b.root+in.path+"/")
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s at %s", strings.TrimPrefix(from, b.root), b.revision(revision))
}
