package controlplane

import (
	"context"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// permissions is the authorizer of the API server. It allows everything to the group
// system:masters, and reading to [ReadOnlyUser].
type permissions struct {
	// definitions lists the CustomResourceDefinitions; nil means none.
	definitions func() []*apiextensionsv1.CustomResourceDefinition
}

var (
	_ authorizer.Authorizer   = (*permissions)(nil)
	_ authorizer.RuleResolver = (*permissions)(nil)
)

// all matches every group, resource, verb or path.
const all = "*"

// readOnlyReason follows the API server's own words in a refusal.
const readOnlyReason = "the read-only token permits get, list and watch, without exec, attach and resources that can have secrets: 'rdd svc config' prints a kubeconfig with all permissions"

// Authorize implements [authorizer.Authorizer].
func (p *permissions) Authorize(_ context.Context, request authorizer.Attributes) (authorizer.Decision, string, error) {
	resources, paths, reason := p.rules(request.GetUser())
	var allowed bool
	if request.IsResourceRequest() {
		resource := request.GetResource()
		if sub := request.GetSubresource(); sub != "" {
			resource += "/" + sub
		}
		allowed = slices.ContainsFunc(resources, func(rule authorizer.DefaultResourceRuleInfo) bool {
			return matches(rule.Verbs, request.GetVerb()) && matches(rule.APIGroups, request.GetAPIGroup()) && matches(rule.Resources, resource)
		})
	} else {
		allowed = slices.ContainsFunc(paths, func(rule authorizer.DefaultNonResourceRuleInfo) bool {
			return matches(rule.Verbs, request.GetVerb()) && matchesPath(rule.NonResourceURLs, request.GetPath())
		})
	}
	if allowed {
		return authorizer.DecisionAllow, "", nil
	}
	return authorizer.DecisionNoOpinion, reason, nil
}

// ConditionsAwareAuthorize implements [authorizer.Authorizer].
func (p *permissions) ConditionsAwareAuthorize(ctx context.Context, request authorizer.Attributes) authorizer.ConditionsAwareDecision {
	return authorizer.ConditionsAwareDecisionFromParts(p.Authorize(ctx, request))
}

// EvaluateConditions implements [authorizer.Authorizer]. No decision has conditions.
func (p *permissions) EvaluateConditions(context.Context, authorizer.ConditionsAwareDecision, authorizer.ConditionsData) (authorizer.Decision, string, error) {
	return authorizer.DecisionDeny, "", authorizer.ErrorConditionEvaluationNotSupported
}

// RulesFor implements [authorizer.RuleResolver]. The rules are the same in each
// namespace, and complete.
func (p *permissions) RulesFor(_ context.Context, who user.Info, _ string) ([]authorizer.ResourceRuleInfo, []authorizer.NonResourceRuleInfo, bool, error) {
	resources, paths, _ := p.rules(who)
	resourceRules := make([]authorizer.ResourceRuleInfo, len(resources))
	for i := range resources {
		resourceRules[i] = &resources[i]
	}
	pathRules := make([]authorizer.NonResourceRuleInfo, len(paths))
	for i := range paths {
		pathRules[i] = &paths[i]
	}
	return resourceRules, pathRules, false, nil
}

// rules returns what a user may do, and the reason why the rest is refused.
func (p *permissions) rules(who user.Info) ([]authorizer.DefaultResourceRuleInfo, []authorizer.DefaultNonResourceRuleInfo, string) {
	switch {
	case who == nil:
		return nil, nil, ""
	case slices.Contains(who.GetGroups(), user.SystemPrivilegedGroup):
		return []authorizer.DefaultResourceRuleInfo{{Verbs: []string{all}, APIGroups: []string{all}, Resources: []string{all}}},
			[]authorizer.DefaultNonResourceRuleInfo{{Verbs: []string{all}, NonResourceURLs: []string{all}}}, ""
	case who.GetName() == ReadOnlyUser:
		return p.readable(), readablePaths(), readOnlyReason
	default:
		return nil, nil, ""
	}
}

// readable returns the resources that [ReadOnlyUser] may read. Resources are listed by
// name, because a rule has no exceptions.
func (p *permissions) readable() []authorizer.DefaultResourceRuleInfo {
	read := []string{"get", "list", "watch"}
	rules := []authorizer.DefaultResourceRuleInfo{
		{Verbs: []string{"create"}, APIGroups: []string{"authorization.k8s.io"}, Resources: []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews"}},
		{Verbs: []string{"create"}, APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"selfsubjectreviews"}},
		{Verbs: read, APIGroups: []string{""}, Resources: []string{"namespaces", "namespaces/status", "events"}},
		{Verbs: read, APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}},
		{Verbs: read, APIGroups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions", "customresourcedefinitions/status"}},
		{Verbs: read, APIGroups: []string{"admissionregistration.k8s.io"}, Resources: []string{
			"validatingadmissionpolicies", "validatingadmissionpolicies/status", "validatingadmissionpolicybindings",
		}},
		{Verbs: []string{"get"}, APIGroups: []string{containersv1.GroupVersion.Group}, Resources: []string{"containers/log", "containers/stats"}},
	}
	if p.definitions == nil {
		return rules
	}
	groups := map[string][]string{}
	for _, definition := range p.definitions() {
		group, resource := definition.Spec.Group, definition.Spec.Names.Plural
		if !canHaveSecrets(group, resource) {
			groups[group] = append(groups[group], resource, resource+"/status")
		}
	}
	for group, resources := range groups {
		slices.Sort(resources)
		rules = append(rules, authorizer.DefaultResourceRuleInfo{Verbs: read, APIGroups: []string{group}, Resources: resources})
	}
	slices.SortFunc(rules, func(a, b authorizer.DefaultResourceRuleInfo) int {
		return strings.Compare(a.APIGroups[0], b.APIGroups[0])
	})
	return rules
}

// canHaveSecrets reports whether objects of a custom resource can have secrets: a
// request for a container has its environment, and a resource of another group is
// judged by its name.
func canHaveSecrets(group, resource string) bool {
	if group == containersv1.GroupVersion.Group {
		return resource == "containercreaterequests"
	}
	return slices.ContainsFunc([]string{"secret", "credential", "password", "token"}, func(word string) bool {
		return strings.Contains(resource, word)
	})
}

// readablePaths returns the paths beside resources that [ReadOnlyUser] may read. The
// profiles below /debug are not among them, because memory has secrets.
func readablePaths() []authorizer.DefaultNonResourceRuleInfo {
	return []authorizer.DefaultNonResourceRuleInfo{{
		Verbs: []string{"get", "head"},
		NonResourceURLs: []string{
			"/", "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", "/version", "/version/",
			"/healthz", "/healthz/*", "/livez", "/livez/*", "/readyz", "/readyz/*", "/metrics", "/rdd/ready", "/rdd/tree",
		},
	}}
}

func matches(allowed []string, value string) bool {
	return slices.Contains(allowed, all) || slices.Contains(allowed, value)
}

// matchesPath matches a path with patterns, whose only wildcard is a "*" at the end.
func matchesPath(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		prefix, isPrefix := strings.CutSuffix(pattern, all)
		return path == pattern || isPrefix && strings.HasPrefix(path, prefix)
	})
}
