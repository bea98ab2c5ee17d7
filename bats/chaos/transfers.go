package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Verbs of an image.
const (
	push = "push"
	tag  = "tag"
)

// isAsked reports whether a user asks for a change of the engine with a request.
func (l *ledger) isAsked(p parsed, c change) bool {
	kind, id, _ := strings.Cut(p.object, "/")
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.asked, func(a *asked) bool {
		if a.began.After(c.began) || !a.ended.IsZero() && a.ended.Before(c.began) {
			return false
		}
		return asksFor(a.object, p.verb, containersv1.Kind(kind), id)
	})
}

// asksFor reports whether a request asks for a verb on an object.
func asksFor(r containersv1.Request, verb string, kind containersv1.Kind, id string) bool {
	switch r := r.(type) {
	case *containersv1.ContainerCreateRequest:
		return verb == create && kind == containersv1.KindContainer
	case *containersv1.VolumeCreateRequest:
		return verb == create && kind == containersv1.KindVolume
	case *containersv1.ImagePullRequest:
		return verb == create && kind == containersv1.KindImage
	case *containersv1.ImageTagRequest:
		return verb == tag && kind == containersv1.KindImage && r.Spec.Image == id
	case *containersv1.ImagePushRequest:
		return verb == push && kind == containersv1.KindImage && strings.HasPrefix(r.Spec.Image, id+":")
	case *containersv1.PruneRequest:
		return verb == "delete" && !r.Spec.DryRun && slices.Contains(r.Spec.Kinds, containersv1.PruneKind(kind))
	}
	return false
}

// prunes reports whether a request may have removed unused objects of a kind between two
// times.
func (l *ledger) prunes(kind containersv1.Kind, from, to time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.asked, func(a *asked) bool {
		return (span{a.began, a.ended}).meets(from, to) && asksFor(a.object, "delete", kind, "")
	})
}

// givesTag reports whether a request may have given an image its tag between two times.
func (l *ledger) givesTag(image string, from, to time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.asked, func(a *asked) bool {
		var ref string
		switch r := a.object.(type) {
		case *containersv1.ImagePullRequest:
			ref = r.Spec.Image
		case *containersv1.ImageTagRequest:
			ref = r.Spec.Tag
		}
		return image == objectOf(containersv1.KindImage, ref) && (span{a.began, a.completed}).meets(from, to)
	})
}

// untransferred says why a request for an image was not carried out; it is empty for one
// that was.
func (c *chaos) untransferred(ctx context.Context, r containersv1.Request, a asked, s *snapshot) string {
	if isTrue(r, containersv1.ConditionFailed) {
		return transient(r.CommonStatus().Message)
	}
	switch r := r.(type) {
	case *containersv1.ImagePushRequest:
		if digest, err := c.registry.digest(ctx, r.Spec.Image); err != nil {
			return "the registry lacks the image: " + err.Error()
		} else if digest == "" || r.Status.Digest == "" {
			return fmt.Sprintf("the registry has the digest %q", digest)
		}
	case *containersv1.ImagePullRequest:
		return c.untagged(r.Spec.Image, r.Status.Result, a, s)
	case *containersv1.ImageTagRequest:
		return c.untagged(r.Spec.Tag, r.Status.Result, a, s)
	}
	return ""
}

// untagged says why an image does not have the tag that a request has given to it, if
// nothing else can have removed the tag since.
func (c *chaos) untagged(ref string, result *containersv1.RequestResult, a asked, s *snapshot) string {
	if result == nil || result.Kind != containersv1.KindImage {
		return "it has no image"
	}
	isChanged := slices.ContainsFunc(c.ledger.of(objectOf(containersv1.KindImage, ref)), func(r request) bool {
		since := a.began
		if r.verb == deleteMirror {
			since = since.Add(-requestTimeout) // the engine removes the tag later
		}
		return r.ended.IsZero() || r.ended.After(since)
	})
	if s.images[ref] != "" || isChanged || removesUntagged(c.recorder.all(), span{a.began, a.completed}) {
		return ""
	}
	return "no image has the tag " + ref
}

// removesUntagged reports whether the engine removed an image without a tag in a time. It
// then removes a tag too that the image gets meanwhile.
func removesUntagged(changes []change, within span) bool {
	return slices.ContainsFunc(changes, func(c change) bool {
		p, _ := parse(c)
		return p.verb == "delete" && strings.HasPrefix(p.object, objectOf(containersv1.KindImage, "sha256:")) && within.meets(c.began, c.ended)
	})
}

// transient returns the message of a failed transfer that shows that rdd should have tried
// again: the registry of a run always answers.
func transient(message string) string {
	for _, sign := range []string{"EOF", "context canceled", "connection refused", "connection reset", "broken pipe", "unreachable", "docker.sock", "engine.sock"} {
		if strings.Contains(message, sign) {
			return "it was given up with its connection"
		}
	}
	return ""
}

// unpruned says which objects a prune reports as removed that are still there. The names
// of containers and volumes never come back.
func (s *snapshot) unpruned(r *containersv1.PruneRequest) string {
	for _, p := range r.Status.Pruned {
		_, hasContainer := s.containers[p.Resource]
		if !r.Spec.DryRun && (p.Kind == containersv1.KindContainer && hasContainer || p.Kind == containersv1.KindVolume && s.volumes[p.Name]) {
			return fmt.Sprintf("%s %s is still there", p.Kind, p.Name)
		}
	}
	return ""
}

// digest returns the digest of an image in the registry.
func (r *registry) digest(ctx context.Context, ref string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	name, version, _ := strings.Cut(strings.TrimPrefix(ref, r.host+"/"), ":")
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, "http://"+r.host+"/v2/"+name+"/manifests/"+version, http.NoBody) //nolint:gosec // the test's own registry
	if err != nil {
		return "", fmt.Errorf("ask the registry: %w", err)
	}
	for _, accepted := range []string{"docker.distribution.manifest.v2", "docker.distribution.manifest.list.v2", "oci.image.manifest.v1", "oci.image.index.v1"} {
		request.Header.Add("Accept", "application/vnd."+accepted+"+json")
	}
	response, err := http.DefaultClient.Do(request) //nolint:gosec // as above
	if err != nil {
		return "", fmt.Errorf("ask the registry: %w", err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the registry answers %s", response.Status)
	}
	return response.Header.Get("Docker-Content-Digest"), nil
}
