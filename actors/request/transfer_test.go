package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

const registryHost = "registry.test:5000"

func (w *world) credentials(context.Context, string) (engine.Credentials, error) {
	return w.signedIn, w.signInErr
}

func (e faultyEngine) Pull(ctx context.Context, image engine.PullSpec, with engine.Credentials, progress func(engine.Progress)) (key engine.Key, err error) {
	err = e.call(ctx, func() error {
		key, err = e.Engine.Pull(ctx, image, with, progress)
		e.pulls++
		return err
	})
	return key, err
}

func (e faultyEngine) Push(ctx context.Context, ref string, with engine.Credentials, progress func(engine.Progress)) (digest string, err error) {
	err = e.call(ctx, func() error {
		digest, err = e.Engine.Push(ctx, ref, with, progress)
		return err
	})
	return digest, err
}

func (e faultyEngine) Tag(ctx context.Context, image, tag string) (key engine.Key, err error) {
	err = e.call(ctx, func() error {
		key, err = e.Engine.Tag(ctx, image, tag)
		return err
	})
	return key, err
}

func (e faultyEngine) Prune(ctx context.Context, options engine.PruneOptions, removed func(engine.Pruned)) (done []engine.Pruned, err error) {
	err = e.call(ctx, func() error {
		done, err = e.Engine.Prune(ctx, options, removed)
		return err
	})
	return done, err
}

func pullRequest(image string, platform ...string) *containersv1.ImagePullRequest {
	r := &containersv1.ImagePullRequest{}
	r.Name, r.Namespace, r.Spec.Image, r.Spec.Platform = "pull", home, image, strings.Join(platform, "/")
	return r
}

func pushRequest(image string) *containersv1.ImagePushRequest {
	r := &containersv1.ImagePushRequest{}
	r.Name, r.Namespace, r.Spec.Image = "push", home, image
	return r
}

func tagRequest(image, tag string) *containersv1.ImageTagRequest {
	r := &containersv1.ImageTagRequest{}
	r.Name, r.Namespace, r.Spec.Image, r.Spec.Tag = "tag", home, image, tag
	return r
}

func pruneRequest(change func(*containersv1.PruneRequestSpec)) *containersv1.PruneRequest {
	r := &containersv1.PruneRequest{}
	r.Name, r.Namespace = "prune", home
	r.Spec.Kinds = []containersv1.PruneKind{"Container", "Image", "Volume", "Network"}
	if change != nil {
		change(&r.Spec)
	}
	return r
}

// run carries out one request with a daemon that is not killed.
func (w *world) run(r containersv1.Request) {
	w.t.Helper()
	w.put(r)
	d := w.start(noFault())
	d.settle()
	d.stop()
}

// Row E4 for requests: the daemon is killed at each of its calls.
func TestKilledDaemonCarriesOutTransfers(t *testing.T) {
	pushed := registryHost + "/app:1"
	for name, test := range map[string]struct {
		request func() containersv1.Request
		check   func(*testing.T, *world, *containersv1.RequestStatus)
	}{
		"pull": {func() containersv1.Request { return pullRequest("nginx") }, func(t *testing.T, w *world, s *containersv1.RequestStatus) {
			image, err := w.engine.Image("nginx:latest")
			if err != nil || s.Result == nil || s.Result.Name != containersv1.ImageResourceName(image.ID, "nginx:latest") {
				t.Errorf("image %v, %v, result %+v", image, err, s.Result)
			}
		}},
		"push": {func() containersv1.Request { return pushRequest(pushed) }, func(t *testing.T, w *world, _ *containersv1.RequestStatus) {
			if digest := w.get(pushRequest(pushed)).(*containersv1.ImagePushRequest).Status.Digest; !strings.HasPrefix(digest, "sha256:") {
				t.Errorf("digest %q", digest)
			}
		}},
		"tag": {func() containersv1.Request { return tagRequest("app:1", "app:2") }, func(t *testing.T, w *world, s *containersv1.RequestStatus) {
			if tags := w.engine.ImageTags("app:1"); !slices.Contains(tags, "app:2") || s.Result == nil {
				t.Errorf("tags %q, result %+v", tags, s.Result)
			}
		}},
		"prune": {func() containersv1.Request { return pruneRequest(nil) }, func(t *testing.T, w *world, _ *containersv1.RequestStatus) {
			if left := w.engine.ContainerIDs(); len(left) != 0 || len(w.engine.ImageTags("app:1")) == 0 {
				t.Errorf("containers %q, images %q", left, w.engine.ImageIDs())
			}
		}},
	} {
		for _, after := range []bool{false, true} {
			for at := 1; ; at++ {
				var reached bool
				t.Run(fmt.Sprintf("%s/call %d, after its effect %t", name, at, after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t)
						w.engine.AddRegistry(registryHost, memory.RegistrySpec{})
						w.engine.AddContainer("ended", "app:1")
						if err := w.engine.Tag("app:1", pushed); err != nil {
							t.Fatal(err)
						}
						r := test.request()
						w.put(r)
						first := w.start(&fault{at: at, after: after, hit: make(chan struct{})})
						reached = first.settle()
						first.stop()
						second := w.start(noFault())
						second.settle()
						second.stop()
						test.check(t, w, w.statusOf(r, containersv1.ConditionComplete))
					})
				})
				if !reached {
					break
				}
				if at > 50 {
					t.Fatal("the daemon does not come to rest")
				}
			}
		}
	}
}

// A layer that takes a minute has hundreds of reports.
func TestProgressIsWrittenTwiceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.engine.AddRegistry(registryHost, memory.RegistrySpec{})
		ref := registryHost + "/app:1"
		w.engine.AddImageSpec(memory.ImageSpec{Tags: []string{ref}, Size: 1 << 20})
		w.run(pushRequest(ref))
		if err := w.engine.RemoveImage(ref, false); err != nil {
			t.Fatal(err)
		}
		w.engine.SetPace(registryHost, 100*time.Millisecond)
		r := pullRequest(ref)
		w.put(r)
		before := w.statusWrites
		d := w.start(noFault())
		d.settle()
		s := w.statusOf(r, containersv1.ConditionComplete)
		d.stop()
		if p := s.Progress; p == nil || p.Bytes != 1<<20 || p.TotalBytes != 1<<20 || p.Layers != 2 || len(p.Items) != 2 || !p.Items[0].Done {
			t.Errorf("progress %+v", s.Progress)
		}
		// Ten reports in a second: the begin, two writes of progress, and the end.
		if writes := w.statusWrites - before; writes < 3 || writes > 5 {
			t.Errorf("%d writes of the status", writes)
		}
	})
}

func TestDeletedRequestCancelsPull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.engine.AddRegistry(registryHost, memory.RegistrySpec{Hangs: true})
		r := pullRequest(registryHost + "/app:1")
		w.put(r)
		d := w.start(noFault())
		d.settle()
		if w.pulls != 0 {
			t.Fatal("the pull from a registry that hangs has ended")
		}
		w.remove(w.get(r))
		d.settle()
		if w.pulls != 1 {
			t.Error("the pull continues without its request")
		}
		d.stop()
	})
}

func TestTransferFailsWithAdvice(t *testing.T) {
	ref := registryHost + "/app:1"
	for name, test := range map[string]struct {
		prepare      func(*world)
		request      containersv1.Request
		reason, want string
	}{
		"NoPassword": {
			func(w *world) {
				w.engine.AddRegistry(registryHost, memory.RegistrySpec{Username: "u", Password: "p"})
			}, pullRequest(ref),
			containersv1.ReasonUnauthorized, "no basic auth credentials: sign in with 'docker login registry.test:5000'",
		},
		"WrongPassword": {
			func(w *world) {
				w.engine.AddRegistry(registryHost, memory.RegistrySpec{Username: "u", Password: "p"})
				w.signedIn = engine.Credentials{Username: "u", Password: "s3cret"}
				w.engine.AddImage(ref)
			}, pushRequest(ref),
			containersv1.ReasonUnauthorized, "authentication required: sign in with",
		},
		"NoCredentials": {
			func(w *world) { w.signInErr = errors.New("docker-credential-x: run docker login") }, pullRequest(ref),
			containersv1.ReasonNoCredentials, "docker-credential-x: run docker login",
		},
		"UnknownImage": {
			func(w *world) { w.engine.AddRegistry(registryHost, memory.RegistrySpec{}) }, pullRequest(ref),
			containersv1.ReasonNotFound, "manifest unknown",
		},
		"UnknownTag":  {nil, tagRequest("missing:1", "x:1"), containersv1.ReasonNotFound, "No such image"},
		"BadPlatform": {nil, pullRequest("nginx", "arm64"), containersv1.ReasonInvalid, "use OS/ARCHITECTURE"},
		"BadLabels": {
			nil, pruneRequest(func(s *containersv1.PruneRequestSpec) { s.Labels = []string{"="} }),
			containersv1.ReasonInvalid, "has no key",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				if test.prepare != nil {
					test.prepare(w)
				}
				w.run(test.request)
				s := w.statusOf(test.request, containersv1.ConditionFailed)
				if reasonOf(s) != test.reason || !strings.Contains(s.Message, test.want) || strings.Contains(s.Message, "s3cret") {
					t.Errorf("%s: %s, want %s: %s", reasonOf(s), s.Message, test.reason, test.want)
				}
			})
		})
	}
}

func TestPullPolicyOfContainer(t *testing.T) {
	for _, test := range []struct {
		policy containersv1.PullPolicy
		image  string
		pulls  int
		want   string
	}{
		{containersv1.PullIfNotPresent, "app:1", 0, containersv1.ConditionComplete},
		{containersv1.PullIfNotPresent, "nginx", 1, containersv1.ConditionComplete},
		{containersv1.PullAlways, "nginx", 1, containersv1.ConditionComplete},
		{containersv1.PullNever, "nginx", 0, containersv1.ConditionFailed},
		{containersv1.PullNever, "app:1", 0, containersv1.ConditionComplete},
	} {
		t.Run(string(test.policy)+" "+test.image, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r := containerRequest(func(s *containersv1.ContainerCreateRequestSpec) { s.Image, s.PullPolicy = test.image, test.policy })
				w.run(r)
				w.statusOf(r, test.want)
				if w.pulls != test.pulls {
					t.Errorf("%d pulls, want %d", w.pulls, test.pulls)
				}
			})
		})
	}
}

func TestPruneNamesWhatWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 150 {
			w.engine.AddContainer(fmt.Sprintf("c-%03d", i), "app:1")
		}
		preview := pruneRequest(func(s *containersv1.PruneRequestSpec) { s.DryRun = true })
		preview.Name = "preview"
		w.run(preview)
		if left := len(w.engine.ContainerIDs()); left != 150 {
			t.Errorf("a dry run left %d containers", left)
		}
		r := pruneRequest(nil)
		w.run(r)
		if left := len(w.engine.ContainerIDs()); left != 0 {
			t.Errorf("%d containers are left", left)
		}
		for _, r := range []containersv1.Request{preview, r} {
			s := w.get(r).(*containersv1.PruneRequest).Status
			if s.PrunedCount != 150 || len(s.Pruned) != containersv1.MaxPruned || s.Pruned[0].Name != "c-000" || !strings.Contains(s.Message, "150 objects") {
				t.Errorf("%s: %d, %d objects, %q", r.GetName(), s.PrunedCount, len(s.Pruned), s.Message)
			}
		}
	})
}

func TestPruneOfBuildCacheNamesSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.engine.AddBuildCache(memory.BuildCacheSpec{Description: "COPY one /one", Size: 10})
		w.engine.AddBuildCache(memory.BuildCacheSpec{Description: "COPY two /two", Size: 5, Parent: first})
		w.engine.AddBuildCache(memory.BuildCacheSpec{Description: "COPY three /three", InUse: true})
		r := pruneRequest(func(s *containersv1.PruneRequestSpec) {
			s.Kinds = []containersv1.PruneKind{containersv1.PruneBuildCache}
		})
		w.run(r)
		w.statusOf(r, containersv1.ConditionComplete)
		s := w.get(r).(*containersv1.PruneRequest).Status
		want := []containersv1.PrunedObject{{Kind: "BuildCache", Name: "COPY two /two", Bytes: 5}, {Kind: "BuildCache", Name: "COPY one /one", Bytes: 10}}
		if !slices.Equal(s.Pruned, want) || s.ReclaimedBytes != 15 || len(w.engine.BuildCache()) != 1 {
			t.Errorf("%+v, want %+v; %+v is left", s, want, w.engine.BuildCache())
		}
	})
}

func TestPullOfPlatform(t *testing.T) {
	for platform, want := range map[string]string{"": "linux/amd64", "linux/arm64": "linux/arm64", "linux/arm/v7": "linux/arm"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			r := pullRequest("nginx")
			r.Spec.Platform = platform
			w.run(r)
			w.statusOf(r, containersv1.ConditionComplete)
			image, err := w.engine.Image("nginx:latest")
			if got := image.OS + "/" + image.Architecture; err != nil || got != want {
				t.Errorf("platform %q: pulled %s, %v, want %s", platform, got, err, want)
			}
		})
	}
}
