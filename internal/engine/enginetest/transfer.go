package enginetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// RegistryUser is the user of a registry with a password.
const RegistryUser = "rdd"

// largeImage is the size of an image whose transfer reports bytes.
const largeImage = 6 << 20

// transferTimeout bounds a transfer on loopback.
const transferTimeout = time.Minute

func transferRules() []rule {
	return []rule{
		{"PushedImageCanBePulled", pushedImageCanBePulled},
		{"PullOfPresentImageChangesNothing", pullOfPresentImage},
		{"PullByDigest", pullByDigest},
		{"PullMovesTag", pullMovesTag},
		{"PullOfPlatform", pullOfPlatform},
		{"PullOfUnknownImageFails", pullOfUnknownImage},
		{"PullWithPassword", pullWithPassword},
		{"PullOfInvalidReferenceFails", pullOfInvalidReference},
		{"PullIsCancelled", pullIsCancelled},
		{"PushOfUnknownImageFails", pushOfUnknownImage},
		{"PushWithPassword", pushWithPassword},
		{"TransferEndsWithEngine", transferEndsWithEngine},
		{"TagMoves", tagMoves},
		{"TagOfUnknownImageIsNotFound", tagOfUnknownImage},
		{"InvalidTagFails", invalidTag},
	}
}

// progressRecord keeps the progress of one transfer, whose calls are made one at a time.
type progressRecord struct {
	mu    sync.Mutex
	calls int
	last  engine.Progress
}

func (p *progressRecord) note(now engine.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	p.last = now
}

func (s *scene) transferContext() context.Context {
	ctx, cancel := context.WithTimeout(s.Context(), transferTimeout)
	s.Cleanup(cancel)
	return ctx
}

func (s *scene) pull(ref string, with engine.Credentials) (engine.Key, *progressRecord, error) {
	p := &progressRecord{}
	key, err := s.engine.Pull(s.transferContext(), engine.PullSpec{Ref: ref}, with, p.note)
	return key, p, err
}

func (s *scene) mustPull(ref string, with engine.Credentials) engine.Key {
	s.Helper()
	key, _, err := s.pull(ref, with)
	if err != nil {
		s.Fatalf("pull %s: %v", ref, err)
	}
	return key
}

func (s *scene) push(ref string, with engine.Credentials) (string, *progressRecord, error) {
	p := &progressRecord{}
	digest, err := s.engine.Push(s.transferContext(), ref, with, p.note)
	return digest, p, err
}

// pushed imports an image, pushes it, and returns its ID and digest.
func (s *scene) pushed(ref string, with engine.Credentials) (id, digest string) {
	s.Helper()
	id = s.ImportImage(ref)
	digest, _, err := s.push(ref, with)
	if err != nil {
		s.Fatalf("push %s: %v", ref, err)
	}
	if !strings.HasPrefix(digest, "sha256:") {
		s.Errorf("push %s: digest %q", ref, digest)
	}
	return id, digest
}

func pushedImageCanBePulled(s *scene) {
	ref := s.StartRegistry(Registry{}) + "/team/app:1"
	id := s.ImportLargeImage(ref, largeImage)
	_, pushed, err := s.push(ref, engine.Credentials{})
	if err != nil {
		s.Fatal(err)
	}
	s.movedBytes("push", pushed)
	s.RemoveImage(ref)
	s.isMissing(imageKey(id, ref))
	key, pulled, err := s.pull(ref, engine.Credentials{})
	if err != nil {
		s.Fatal(err)
	}
	s.movedBytes("pull", pulled)
	if want := imageKey(id, ref); key.Tag != ref || key.ID != id {
		s.Errorf("pulled %+v, want %+v", key, want)
	}
	s.exists(key)
}

// movedBytes checks the progress of a transfer that has ended. An engine that samples its
// progress may miss the bytes of a fast transfer; some engines count the configuration and
// the manifest too.
func (s *scene) movedBytes(what string, p *progressRecord) {
	s.Helper()
	current, total := p.last.Bytes()
	if p.calls == 0 || p.last.Done() == 0 || current != total || total > 0 && total < largeImage {
		s.Errorf("%s: %d reports, %d layers done, %d of %d bytes, want none or more than %d: %+v",
			what, p.calls, p.last.Done(), current, total, largeImage, p.last)
	}
}

func pullOfPresentImage(s *scene) {
	ref := s.StartRegistry(Registry{}) + "/app:1"
	id, _ := s.pushed(ref, engine.Credentials{})
	for range 2 {
		if key := s.mustPull(ref, engine.Credentials{}); key != imageKey(id, ref) {
			s.Errorf("pulled %+v", key)
		}
	}
}

func pullByDigest(s *scene) {
	host := s.StartRegistry(Registry{})
	id, digest := s.pushed(host+"/app:1", engine.Credentials{})
	s.RemoveImage(host + "/app:1")
	key := s.mustPull(host+"/app@"+digest, engine.Credentials{})
	if key != imageKey(id, "") {
		s.Errorf("pulled %+v", key)
	}
	image := s.exists(key).(*containersv1.Image)
	if !slices.Contains(image.Status.RepoDigests, host+"/app@"+digest) {
		s.Errorf("digests %q", image.Status.RepoDigests)
	}
}

// The platform selects from a list. An image that is in none is pulled for every platform.
func pullOfPlatform(s *scene) {
	ref := s.StartRegistry(Registry{}) + "/app:1"
	id, _ := s.pushed(ref, engine.Credentials{})
	image := s.exists(imageKey(id, ref)).(*containersv1.Image)
	s.RemoveImage(ref)
	spec := engine.PullSpec{Ref: ref, Platform: engine.Platform{OS: image.Status.OS, Architecture: image.Status.Architecture}}
	key, err := s.engine.Pull(s.transferContext(), spec, engine.Credentials{}, func(engine.Progress) {})
	if err != nil || key != imageKey(id, ref) {
		s.Errorf("pulled %+v for its own platform %s: %v", key, spec.Platform, err)
	}
	s.RemoveImage(ref)
	spec.Platform = engine.Platform{OS: image.Status.OS, Architecture: "s390x"}
	if key, err := s.engine.Pull(s.transferContext(), spec, engine.Credentials{}, func(engine.Progress) {}); err != nil || key != imageKey(id, ref) {
		s.Errorf("pulled %+v for %s: %v", key, spec.Platform, err)
	}
}

func pullMovesTag(s *scene) {
	ref := s.StartRegistry(Registry{}) + "/app:latest"
	id, _ := s.pushed(ref, engine.Credentials{})
	other := s.ImportImage(ref)
	if key := s.mustPull(strings.TrimSuffix(ref, ":latest"), engine.Credentials{}); key != imageKey(id, ref) {
		s.Errorf("pulled %+v", key)
	}
	s.exists(imageKey(other, ""))
}

// fails checks the words of an error that is the registry's or the engine's.
func (s *scene) fails(what string, err error, words ...string) {
	s.Helper()
	if err == nil || engine.IsUnreachable(err) {
		s.Fatalf("%s: %v, want a refusal", what, err)
	}
	text := strings.ToLower(err.Error())
	if !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) }) {
		s.Errorf("%s: %q, want the words %q", what, err, words)
	}
}

func pullOfUnknownImage(s *scene) {
	_, _, err := s.pull(s.StartRegistry(Registry{})+"/missing:1", engine.Credentials{})
	s.fails("pull of an unknown image", err, "manifest unknown", "not found")
}

// rejects checks that a transfer needs the right password, and that no error has it.
func (s *scene) rejects(transfer func(engine.Credentials) error) {
	s.Helper()
	for _, with := range []engine.Credentials{{}, {Username: RegistryUser, Password: "wrong-password"}} {
		err := transfer(with)
		s.fails("a transfer", err, "no basic auth", "unauthorized", "authentication")
		if !engine.IsUnauthorized(err) {
			s.Errorf("the error %q is not of the class unauthorized", err)
		}
		if strings.Contains(err.Error(), "wrong-password") {
			s.Errorf("the error has the password: %v", err)
		}
	}
}

func pullWithPassword(s *scene) {
	host := s.StartRegistry(Registry{Password: "right-password"})
	right := engine.Credentials{Server: host, Username: RegistryUser, Password: "right-password"}
	ref := host + "/app:1"
	id, _ := s.pushed(ref, right)
	s.RemoveImage(ref)
	s.rejects(func(with engine.Credentials) error {
		_, _, err := s.pull(ref, with)
		return err
	})
	s.isMissing(imageKey(id, ref))
	s.mustPull(ref, right)
}

func pullOfInvalidReference(s *scene) {
	for _, ref := range []string{"", "Not:Valid:At:All", "app@sha256:12"} {
		_, _, err := s.pull(ref, engine.Credentials{})
		s.fails("pull of "+ref, err, "invalid")
	}
}

func pullIsCancelled(s *scene) {
	ctx, cancel := context.WithCancel(s.Context())
	if err := s.endHungPull(ctx, cancel); err == nil || engine.IsUnreachable(err) {
		s.Errorf("a cancelled pull: %v", err)
	}
}

func transferEndsWithEngine(s *scene) {
	if err := s.endHungPull(s.Context(), s.StopEngine); err == nil {
		s.Error("a pull has ended well without the engine")
	}
}

// endHungPull pulls from a registry that hangs, calls end, and returns what the pull
// returns.
func (s *scene) endHungPull(ctx context.Context, end func()) error {
	s.Helper()
	ref := s.StartRegistry(Registry{Hangs: true}) + "/app:1"
	ended := make(chan error, 1)
	go func() {
		_, err := s.engine.Pull(ctx, engine.PullSpec{Ref: ref}, engine.Credentials{}, func(engine.Progress) {})
		ended <- err
	}()
	select {
	case err := <-ended:
		s.Fatalf("the pull from a registry that hangs has ended: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	end()
	select {
	case err := <-ended:
		return err
	case <-time.After(callTimeout):
		s.Fatal("a pull from a registry that hangs does not end")
		return nil
	}
}

func pushOfUnknownImage(s *scene) {
	_, _, err := s.push(s.StartRegistry(Registry{})+"/missing:1", engine.Credentials{})
	s.fails("push of an unknown image", err, "does not exist", "not found")
}

func pushWithPassword(s *scene) {
	host := s.StartRegistry(Registry{Password: "right-password"})
	s.ImportImage(host + "/app:1")
	s.rejects(func(with engine.Credentials) error {
		_, _, err := s.push(host+"/app:1", with)
		return err
	})
	if _, _, err := s.push(host+"/app:1", engine.Credentials{Username: RegistryUser, Password: "right-password"}); err != nil {
		s.Errorf("push with the right password: %v", err)
	}
}

func tagMoves(s *scene) {
	one, two := s.ImportImage(appTag), s.ImportImage("other:1")
	for _, id := range []string{one, two} {
		key, err := s.engine.Tag(s.transferContext(), id, "moved")
		if err != nil || key != imageKey(id, "moved:latest") {
			s.Errorf("tag %s: %+v, %v", id, key, err)
		}
		s.exists(imageKey(id, "moved:latest"))
	}
	s.isMissing(imageKey(one, "moved:latest"))
	if key, err := s.engine.Tag(s.transferContext(), appTag, "moved"); err != nil || key != imageKey(one, "moved:latest") {
		s.Errorf("tag by tag: %+v, %v", key, err)
	}
}

func tagOfUnknownImage(s *scene) {
	if key, err := s.engine.Tag(s.transferContext(), "missing:1", "moved:1"); !engine.IsNotFound(err) {
		s.Errorf("tag of an unknown image: %+v, %v", key, err)
	}
}

func invalidTag(s *scene) {
	id := s.ImportImage(appTag)
	if key, err := s.engine.Tag(s.transferContext(), id, "Not:Valid"); err == nil || engine.IsUnreachable(err) {
		s.Errorf("an invalid tag: %+v, %v", key, err)
	}
}

// Registry describes a registry to start.
type Registry struct {
	// Password that RegistryUser needs; empty lets everyone in.
	Password string
	// Hangs makes it accept connections and never answer.
	Hangs bool
}

// TransferFixture prepares registries, and images to move.
type TransferFixture interface {
	// StartRegistry returns the host of a new registry without images.
	StartRegistry(Registry) (host string)
	// ImportLargeImage returns the ID of a new image with incompressible content.
	ImportLargeImage(tag string, size int) (id string)
	// MakeBuildCache leaves records in the build cache, of which one was built on another.
	MakeBuildCache()
}
