package tables

import (
	"context"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// column is a column of a table.
type column struct {
	name, description string
	// wide is set for a column that kubectl only shows with -o wide.
	wide bool
	// cut shortens a text to a width, if it can. Without it the texts are never shortened.
	cut func(text string, width int) string
}

// table describes the tables of a kind.
type table struct {
	columns []column
	// steps narrow columns, one after the other, until the rows fit.
	steps []step
	// cells returns the texts of an object, one for each column.
	cells func(obj runtime.Object, known facts) []string
}

// facts are what cells depend on beside their object.
type facts struct {
	now   time.Time
	users users
}

// convertor makes tables of one kind. It is a [rest.TableConvertor].
type convertor struct {
	table

	// usages is nil if the cells do not depend on containers.
	usages *usages
	now    func() time.Time
}

// ConvertToTable implements [rest.TableConvertor]. The rows are sorted by their first
// column.
func (c *convertor) ConvertToTable(ctx context.Context, obj, options runtime.Object) (*metav1.Table, error) {
	known := facts{now: c.now()}
	if c.usages != nil {
		var err error
		if known.users, err = c.usages.of(ctx); err != nil {
			return nil, err
		}
	}
	result, err := emptyTable(obj)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	err = eachItem(obj, func(item runtime.Object) error {
		rows = append(rows, c.cells(item, known))
		result.Rows = append(result.Rows, metav1.TableRow{Object: runtime.RawExtension{Object: item}})
		return nil
	})
	if err != nil {
		return nil, err
	}
	fit(c.columns, rows, c.steps)
	for i, row := range rows {
		for _, text := range row {
			result.Rows[i].Cells = append(result.Rows[i].Cells, text)
		}
	}
	slices.SortStableFunc(result.Rows, func(a, b metav1.TableRow) int {
		return strings.Compare(a.Cells[0].(string), b.Cells[0].(string))
	})
	if o, ok := options.(*metav1.TableOptions); !ok || o == nil || !o.NoHeaders {
		result.ColumnDefinitions = definitions(c.columns)
	}
	return result, nil
}

// emptyTable returns a table with the metadata of an object or a list.
func emptyTable(obj runtime.Object) (*metav1.Table, error) {
	result := &metav1.Table{}
	if list, err := meta.ListAccessor(obj); err == nil {
		result.ResourceVersion = list.GetResourceVersion()
		result.Continue = list.GetContinue()
		result.RemainingItemCount = list.GetRemainingItemCount()
		return result, nil
	}
	m, err := meta.CommonAccessor(obj)
	if err != nil {
		return nil, err
	}
	result.ResourceVersion = m.GetResourceVersion()
	return result, nil
}

// eachItem calls do with each item of a list, or with an object that is no list.
func eachItem(obj runtime.Object, do func(runtime.Object) error) error {
	if meta.IsListType(obj) {
		return meta.EachListItem(obj, do)
	}
	return do(obj)
}

// definitions returns the columns as the API has them. The last one is the name of the
// resource.
func definitions(columns []column) []metav1.TableColumnDefinition {
	result := make([]metav1.TableColumnDefinition, len(columns))
	for i, c := range columns {
		result[i] = metav1.TableColumnDefinition{Name: c.name, Type: "string", Description: c.description}
		if c.wide {
			result[i].Priority = 1
		}
	}
	result[len(result)-1].Format = "name"
	return result
}
