// Forms of queueURL: what Go's net/url makes of them is what KEDA makes of them.

package conformance

import "testing"

// Everything before the path, good and bad.
var urlBeginnings = []string{
	"", "https://h", "http://127.0.0.1:4566", "https://sqs.eu-west-1.amazonaws.com", "HTTPS://H", "https://h:", "https://h:443", "https://h:port", "https://h:1:2",
	"https://user@h", "https://user:word@h", "https://a@b@h", "https://@h", "https://us er@h", "https://user:%zz@h", "https://user%40:x@h", "https://us\"er@h",
	"https://[::1]", "https://[::1]:4566", "https://[::1", "https://::1", "https://[::1]x", "https://[::1]:x", "https://[fe80::1%25en0]", "https://[fe80::1%en0]", "https://[not-an-address]", "https://[]",
	"https://[1.2.3.4]", "https://x[::1]", "https://h]", "https://h[", "https://h%41", "https://h%zz", "https://h%", "https://h%C3%A9", "https://é", "https://a b", "https://h\\", "https://h^", "https://h|x", "https://h<x>", "https://h\"x",
	"https://h{x}", "https://h`x", "https://h;x", "https://h,x", "https://h!x", "https://(h)", "https://h_x", "https://", "https:///", "https:", "https:/", "1https://h", "ht!tp://h", "h-t.t+p://h", ":", "://h", "é://h",
	"localhost:4566", "127.0.0.1:4566", "arn:aws:sqs:eu-west-1:1:", "arn:aws:sqs", "//h", "///", "h", "h:", "mailto:a@b", "C:", "urn:x",
}

// Everything after it.
var urlEndings = []string{
	"", "/", "/1", "/1/", "/1/q", "/1/q/", "//q", "/1//q", "/1/q/x", "/1/q?x=1", "/1/q?x=1/2", "/1/q?", "/1/q??", "/1?/q", "/1/q#f", "/1/#", "/1/q#f/g", "/1/q#f?x", "?x=1", "#f",
	"/1%2Fq", "/1%2fq", "/1/q%2F", "/1/q%2Fx", "%2F1/q", "/1/q%zz", "/1/q%4", "/1/q%", "/1/%71", "/1/q%25", "/1/q q", "/1/q%20", "/1/ ", "/1/q+x", "/1/é", "/1/%C3%A9", "/1/q;p", "/1/q=x&y", "/1/q@x", "/1/q:x",
	"/1/q.fifo", "/1/q(1)", "/1/Q_q-1", "/1/..", "/../q", "/./q", "/1/q\\x", "/1/q\"x", "/1/q<x>", "/1/q{x}", "/1/q|x", "/1/q^x", "/1/q`x", "/1/q[x]", "/1/q*x", "/1/q'x", "/1/q!x", "/1/q$x", "/1/q~x", "/1/q,x",
	"/1/q\tx", "/1/q\nx", "/1/q\u007fx", "/1/q\u0000x", "/1/q\u00a0x", "/1/q\u200bx", "/1/😀", "/1/%00", "/1/q%0a", "q", "*", "/*",
}

func TestQueueNamesAreThoseOfKeda(t *testing.T) {
	var scenarios []scenario
	for _, beginning := range urlBeginnings {
		for _, ending := range urlEndings {
			url := beginning + ending
			scenarios = append(scenarios, scenario{name: "queueURL " + url, trigger: givenTrigger(map[string]string{"queueURL": url})})
		}
	}
	compareAll(t, "forms of queueURL", 8, scenarios)
}

// Bytes that are no UTF-8 after decoding cannot be told over gRPC, nor be in the name of a metric.
func TestAQueueNameThatIsNoTextIsNotComparedByItsBytes(t *testing.T) {
	var scenarios []scenario
	for _, url := range []string{"https://h/1/%ff", "/1/q%80"} {
		scenarios = append(scenarios, scenario{name: "queueURL " + url, meant: invalidText, trigger: givenTrigger(map[string]string{"queueURL": url})})
	}
	compareAll(t, "forms of queueURL", 1, scenarios)
}
