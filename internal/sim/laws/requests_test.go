package laws

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

// ask creates a request, as a user does.
func (f *fixture) ask(r containersv1.Request) containersv1.Request {
	f.t.Helper()
	r.SetName("asked")
	r.SetNamespace(appv1.DefaultNamespace)
	if !f.cluster.CreateRequest(r) {
		f.t.Fatal("the request was not accepted")
	}
	return f.cluster.Requests()[0].CopyRequest()
}

// end writes the outcome of a request, as the daemon does.
func (f *fixture) end(r containersv1.Request, condition string, change func(containersv1.Request)) {
	f.t.Helper()
	r = r.CopyRequest()
	meta.SetStatusCondition(&r.CommonStatus().Conditions, metav1.Condition{Type: condition, Status: metav1.ConditionTrue, Reason: "Test"})
	change(r)
	f.must(cluster.RequestClient{Client: f.mirrors.Client}.UpdateStatus(f.t.Context(), r))
}

// asks returns a history in which a request exists when a command is sent.
func asks(r func() containersv1.Request, verb string, kind containersv1.Kind, id string) func(*fixture) {
	return func(f *fixture) {
		f.ask(r())
		f.command(verb, kind, id)
	}
}

func pull() containersv1.Request {
	return &containersv1.ImagePullRequest{Spec: containersv1.ImagePullRequestSpec{Image: "app:2"}}
}

func tag() containersv1.Request {
	return &containersv1.ImageTagRequest{Spec: containersv1.ImageTagRequestSpec{Image: "app:1", Tag: "app:2"}}
}

func push() containersv1.Request {
	return &containersv1.ImagePushRequest{Spec: containersv1.ImagePushRequestSpec{Image: "app:1"}}
}

func prune(change func(*containersv1.PruneRequestSpec)) func() containersv1.Request {
	return func() containersv1.Request {
		r := &containersv1.PruneRequest{Spec: containersv1.PruneRequestSpec{Kinds: []containersv1.PruneKind{"Container", "Image"}}}
		change(&r.Spec)
		return r
	}
}

func volume() containersv1.Request {
	return &containersv1.VolumeCreateRequest{Spec: containersv1.VolumeCreateRequestSpec{Name: "asked"}}
}

func container(policy containersv1.PullPolicy) func() containersv1.Request {
	return func() containersv1.Request {
		return &containersv1.ContainerCreateRequest{Spec: containersv1.ContainerCreateRequestSpec{
			Name: "asked", Image: "app:2", PullPolicy: policy, Networks: []string{"bridge", "more"},
		}}
	}
}

func TestCommandNeedsItsRequest(t *testing.T) {
	const none, image = "no request asks for that", containersv1.KindImage
	as := func(*containersv1.PruneRequestSpec) {}
	test(t, map[string]forgery{
		"pull":                     {asks(pull, "pull", image, "app:2"), ""},
		"pull of another image":    {asks(pull, "pull", image, "app:1"), none},
		"pull for a container":     {asks(container(containersv1.PullAlways), "pull", image, "app:2"), ""},
		"pull that is not allowed": {asks(container(containersv1.PullNever), "pull", image, "app:2"), none},
		"push":                     {asks(push, "push", image, "app:1"), ""},
		"push, tag requested":      {asks(tag, "push", image, "app:1"), none},
		"tag":                      {asks(tag, "tag", image, "app:1"), ""},
		"connect":                  {asks(container(containersv1.PullNever), "connect", containersv1.KindNetwork, "more"), ""},
		"create":                   {asks(volume, "create", containersv1.KindVolume, "asked"), ""},
		"create of another kind":   {asks(volume, "create", containersv1.KindNetwork, "asked"), none},
		"create of another name":   {asks(volume, "create", containersv1.KindVolume, "data"), none},
		"discard of another's":     {asks(container(containersv1.PullNever), "discard", containersv1.KindContainer, "other"), none},
		"discard": {func(f *fixture) {
			r := f.ask(container(containersv1.PullNever)())
			f.Judge(f.native).Made(containersv1.KindContainer, "made", r.GetUID())
			f.command("discard", containersv1.KindContainer, "made")
		}, ""},
		"prune":                    {asks(prune(as), "prune", containersv1.KindContainer, "any"), ""},
		"prune of an image":        {asks(prune(as), "remove", image, "sha256:1"), ""},
		"prune of a tag":           {asks(prune(as), "remove", image, "app:1"), "no user requests that"},
		"prune of all":             {asks(prune(func(s *containersv1.PruneRequestSpec) { s.All = true }), "remove", image, "app:1"), ""},
		"prune that only previews": {asks(prune(func(s *containersv1.PruneRequestSpec) { s.DryRun = true }), "prune", containersv1.KindContainer, "any"), none},
		"prune of another kind":    {asks(prune(as), "remove", containersv1.KindVolume, "data"), "no user requests that"},
		"after the end": {func(f *fixture) {
			r := f.ask(push())
			f.end(r, containersv1.ConditionFailed, func(r containersv1.Request) { r.CommonStatus().Message = "no" })
			time.Sleep(2 * acting)
			f.command("push", image, "app:1")
		}, none},
	})
}

// complete returns a history in which a request is complete.
func complete(r func() containersv1.Request, before func(*fixture, containersv1.Request), change func(containersv1.Request)) func(*fixture) {
	return func(f *fixture) {
		asked := f.ask(r())
		before(f, asked)
		f.end(asked, containersv1.ConditionComplete, change)
	}
}

func TestCompleteRequestWasCarriedOut(t *testing.T) {
	idle, as := func(*fixture, containersv1.Request) {}, func(containersv1.Request) {}
	hasResult := func(kind containersv1.Kind, name func() string) func(containersv1.Request) {
		return func(r containersv1.Request) {
			r.CommonStatus().Result = &containersv1.RequestResult{Kind: kind, Name: name()}
		}
	}
	id := ""
	image := hasResult(containersv1.KindImage, func() string { return containersv1.ImageResourceName(id, "app:2") })
	pulls := func(f *fixture, _ containersv1.Request) { id = f.native.Model.Pull("app:2") }
	asked := hasResult(containersv1.KindVolume, func() string { return containersv1.VolumeResourceName("asked") })
	made := func(f *fixture, r containersv1.Request) {
		f.Judge(f.native).Made(containersv1.KindVolume, "asked", r.GetUID())
	}
	digest := func(r containersv1.Request) { r.(*containersv1.ImagePushRequest).Status.Digest = "sha256:1" }
	removes := func(f *fixture, _ containersv1.Request) { f.must(f.native.Model.RemoveContainer(f.container, true)) }
	pruned := func(f *fixture) func(containersv1.Request) {
		return func(r containersv1.Request) {
			r.(*containersv1.PruneRequest).Status.Pruned = []containersv1.PrunedObject{{Kind: containersv1.KindContainer, Name: "web", Resource: f.container}}
		}
	}
	prunes := func(before func(*fixture, containersv1.Request), spec func(*containersv1.PruneRequestSpec)) func(*fixture) {
		return func(f *fixture) { complete(prune(spec), before, pruned(f))(f) }
	}
	all := func(*containersv1.PruneRequestSpec) {}
	test(t, map[string]forgery{
		"pulled":             {complete(pull, pulls, image), ""},
		"not pulled":         {complete(pull, func(*fixture, containersv1.Request) { id = "sha256:0" }, image), "no engine has had the image"},
		"no result":          {complete(tag, idle, as), "no engine has had the image"},
		"pushed":             {complete(push, idle, digest), ""},
		"not pushed":         {complete(push, idle, as), "without a digest"},
		"created":            {complete(volume, made, asked), ""},
		"not created for it": {complete(volume, idle, asked), "was not created for the request"},
		"pruned":             {prunes(removes, all), ""},
		"not pruned":         {prunes(idle, all), "was not removed"},
		"would be pruned":    {prunes(idle, func(s *containersv1.PruneRequestSpec) { s.DryRun = true }), ""},
	})
}

func TestRequestEndsOnce(t *testing.T) {
	why := func(r containersv1.Request) { r.CommonStatus().Message = "no" }
	end := func(f *fixture, first, second string) {
		r := f.ask(push())
		f.end(r, first, func(r containersv1.Request) {
			why(r)
			r.(*containersv1.ImagePushRequest).Status.Digest = "sha256:1"
		})
		if second != "" {
			f.end(f.cluster.Requests()[0], second, func(r containersv1.Request) { r.CommonStatus().Message = "again" })
		}
	}
	test(t, map[string]forgery{
		"fails":            {func(f *fixture) { end(f, containersv1.ConditionFailed, "") }, ""},
		"fails, no reason": {func(f *fixture) { f.end(f.ask(push()), containersv1.ConditionFailed, func(containersv1.Request) {}) }, "without a reason"},
		"fails twice":      {func(f *fixture) { end(f, containersv1.ConditionFailed, containersv1.ConditionFailed) }, "outcome of a request was changed"},
		"both":             {func(f *fixture) { end(f, containersv1.ConditionComplete, containersv1.ConditionFailed) }, "outcome of a request was changed"},
		"does not end":     {problemsOf(func(f *fixture) { f.ask(push()) }), "is not finished"},
		"two objects": {problemsOf(func(f *fixture) {
			for _, name := range []string{"one", "two"} {
				f.native.Model.AddVolume(name)
				f.Judge(f.native).Made(containersv1.KindVolume, name, "uid")
			}
		}), "has a second object"},
	})
}
