// Package property maps the App's schema to dotted properties, and text such as
// vm.driver=native to a patch with the types of the schema. All properties come from
// the schema, so a new field of the App needs no change here.
//
// Reading map: schema.go reads properties from a CustomResourceDefinition,
// embedded.go has the one in this program. parse.go and quantity.go parse
// assignments, near.go suggests names, diff.go lists changes.
package property

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Property is a field of the spec that is not an object with fields.
type Property struct {
	// Name is dotted: vm.driver.
	Name string `json:"name"`
	// Type is boolean, string, integer, number, array, map, quantity, or "integer or string".
	Type string `json:"type"`
	// Enum lists the allowed values; empty if there is no such limit.
	Enum []string `json:"enum,omitempty"`
	// Immutable properties are set at the first start and cannot be changed.
	Immutable bool `json:"immutable,omitempty"`
	// Default is the default as a user types it, or empty.
	Default string `json:"default,omitempty"`
	// Description in one paragraph.
	Description string `json:"description,omitempty"`

	schema apiextensionsv1.JSONSchemaProps
}

// Set holds the properties of a spec, sorted by name.
type Set []Property

// FromCRD lists the properties of the spec of one version of crd.
func FromCRD(crd *apiextensionsv1.CustomResourceDefinition, version string) (Set, error) {
	for _, v := range crd.Spec.Versions {
		if v.Name != version {
			continue
		}
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			break
		}
		spec, ok := v.Schema.OpenAPIV3Schema.Properties["spec"]
		if !ok {
			break
		}
		var set Set
		set.add("", spec)
		slices.SortFunc(set, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
		return set, nil
	}
	return nil, fmt.Errorf("CustomResourceDefinition %s has no spec schema for version %s", crd.Name, version)
}

func (s *Set) add(prefix string, schema apiextensionsv1.JSONSchemaProps) {
	for name, field := range schema.Properties {
		full := prefix + name
		if len(field.Properties) > 0 {
			s.add(full+".", field)
			continue
		}
		*s = append(*s, Property{
			Name: full, Type: typeOf(field), Enum: enumOf(field), Default: text(field.Default), Immutable: isImmutable(field),
			Description: strings.Join(strings.Fields(field.Description), " "), schema: field,
		})
	}
}

func typeOf(schema apiextensionsv1.JSONSchemaProps) string {
	switch {
	case isQuantity(schema):
		return "quantity"
	case schema.XIntOrString:
		return "integer or string"
	case schema.Type == "object":
		return "map"
	default:
		return schema.Type
	}
}

// isImmutable reports whether a rule of the schema forbids every change.
func isImmutable(schema apiextensionsv1.JSONSchemaProps) bool {
	return slices.ContainsFunc(schema.XValidations, func(rule apiextensionsv1.ValidationRule) bool {
		return rule.Rule == "self == oldSelf"
	})
}

func enumOf(schema apiextensionsv1.JSONSchemaProps) []string {
	var values []string
	for _, value := range schema.Enum {
		values = append(values, text(&value))
	}
	return values
}

// text returns a JSON value as a user types it.
func text(value *apiextensionsv1.JSON) string {
	if value == nil {
		return ""
	}
	var s string
	if json.Unmarshal(value.Raw, &s) == nil {
		return s
	}
	return string(value.Raw)
}

// Find returns the property called name.
func (s Set) Find(name string) (Property, bool) {
	i, found := slices.BinarySearchFunc(s, name, func(p Property, n string) int { return strings.Compare(p.Name, n) })
	if !found {
		return Property{}, false
	}
	return s[i], true
}

// Names lists the names of the properties that can be set.
func (s Set) Names() []string {
	var names []string
	for _, p := range s.Settable() {
		names = append(names, p.Name)
	}
	return names
}

// Settable returns the properties that are not immutable.
func (s Set) Settable() Set {
	return slices.DeleteFunc(slices.Clone(s), func(p Property) bool { return p.Immutable })
}
