// The table at the end: how many cases each area has, and how many of them were not equal.

package conformance

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// So many differences of an area are told in full; the table counts all of them.
const toldDifferencesMax = 20

// results of all tests, in the order in which their areas were first heard of.
var results resultTable

type resultTable struct {
	lock  sync.Mutex
	areas []*areaResult
}

type areaResult struct {
	name                         string
	equal, documented, different int
}

// equal counts a case in which KEDA sees the same.
func (r *resultTable) equal(area string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.area(area).equal++
}

// documented counts a case in which KEDA sees another thing on purpose.
func (r *resultTable) documented(area string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.area(area).documented++
}

// different counts a case that fails its test, and tells it unless enough have been told.
func (r *resultTable) different(t testing.TB, area, text string) {
	t.Helper()
	r.lock.Lock()
	defer r.lock.Unlock()
	result := r.area(area)
	result.different++
	t.Fail()
	if result.different <= toldDifferencesMax {
		t.Log(text)
	}
}

// check counts one case of an area that has no KEDA scaler to compare with.
func (r *resultTable) check(t testing.TB, area string, holds bool, text string, values ...any) {
	t.Helper()
	if holds {
		r.equal(area)
	} else {
		r.different(t, area, fmt.Sprintf(text, values...))
	}
}

func (r *resultTable) area(name string) *areaResult {
	for _, area := range r.areas {
		if area.name == name {
			return area
		}
	}
	r.areas = append(r.areas, &areaResult{name: name})
	return r.areas[len(r.areas)-1]
}

func (r *resultTable) table() string {
	r.lock.Lock()
	defer r.lock.Unlock()
	var text strings.Builder
	const row = "%-34s %6d %6d %10d %9d\n"
	fmt.Fprintf(&text, "\n%-34s %6s %6s %10s %9s\n", "area", "cases", "equal", "documented", "different")
	total := areaResult{name: "all"}
	for _, area := range r.areas {
		fmt.Fprintf(&text, row, area.name, area.cases(), area.equal, area.documented, area.different)
		total.equal += area.equal
		total.documented += area.documented
		total.different += area.different
	}
	fmt.Fprintf(&text, row, total.name, total.cases(), total.equal, total.documented, total.different)
	return text.String()
}

func (a *areaResult) cases() int {
	return a.equal + a.documented + a.different
}
