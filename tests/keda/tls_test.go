// TLS as KEDA's options ask for it, against servers without TLS, with TLS, and with TLS that asks for a
// client certificate: what fits works, and what does not is a clear error.

package conformance

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// tlsServer is a scaler and what it says to clients that do not fit.
type tlsServer struct {
	name    string
	address string
}

// tlsCase is one combination of KEDA's options, and what comes of it at each server: nothing when it
// works, else a part of the error.
type tlsCase struct {
	name           string
	metadata       map[string]string
	authentication map[string]string
	errors         map[string]string
}

const (
	plaintext = "plaintext"
	oneWay    = "TLS"
	mutual    = "mutual TLS"
	named     = "mutual TLS for named clients"

	notTLS      = "first record does not look like a TLS handshake"
	notTrusted  = "certificate signed by unknown authority"
	noPlaintext = "error reading server preface"
	noClient    = "certificate required"
	unnamed     = "access denied"
)

func tlsCases(authority authority) []tlsCase {
	client, stranger := authority.issue("keda-operator"), givenAuthority().issue("keda-operator")
	wrongName := authority.issue("shop")
	onPlaintext := map[string]string{oneWay: noPlaintext, mutual: noPlaintext, named: noPlaintext}
	onTLS := map[string]string{plaintext: notTLS, mutual: noClient, named: noClient}
	untrusted := map[string]string{plaintext: notTLS, oneWay: notTrusted, mutual: notTrusted, named: notTrusted}
	enabled, unsafe := map[string]string{"enableTLS": "true"}, map[string]string{"enableTLS": "true", "unsafeSsl": "true"}
	return []tlsCase{
		{name: "no options", errors: onPlaintext},
		{name: "unsafeSsl alone does not turn TLS on", metadata: map[string]string{"unsafeSsl": "true"}, errors: onPlaintext},
		{name: "a client certificate without its key is not used", authentication: map[string]string{"tlsClientCert": client.certificate}, errors: onPlaintext},
		{name: "a client key without its certificate is not used", authentication: map[string]string{"tlsClientKey": client.key}, errors: onPlaintext},
		{name: "enableTLS with the system's authorities", metadata: enabled, errors: untrusted},
		{name: "enableTLS without verification", metadata: unsafe, errors: onTLS},
		{name: "caCert turns TLS on", authentication: map[string]string{"caCert": authority.certificate}, errors: onTLS},
		{name: "enableTLS and caCert", metadata: enabled, authentication: map[string]string{"caCert": authority.certificate}, errors: onTLS},
		{name: "caCert of somebody else", authentication: map[string]string{"caCert": stranger.certificate}, errors: untrusted},
		{name: "a client certificate turns TLS on, and trusts nobody yet", authentication: client.asClient(nil), errors: untrusted},
		{name: "a client certificate without verification", metadata: unsafe, authentication: client.asClient(nil), errors: map[string]string{plaintext: notTLS}},
		{name: "caCert and a client certificate", authentication: client.asClient(&authority), errors: map[string]string{plaintext: notTLS}},
		{name: "enableTLS, caCert and a client certificate", metadata: enabled, authentication: client.asClient(&authority), errors: map[string]string{plaintext: notTLS}},
		{name: "caCert and a client certificate of another name", authentication: wrongName.asClient(&authority), errors: map[string]string{plaintext: notTLS, named: unnamed}},
		{name: "a client certificate of another authority is not sent", authentication: stranger.asClient(&authority), errors: map[string]string{plaintext: notTLS, mutual: noClient, named: noClient}},
	}
}

func TestTLSOptionsAgainstEachKindOfServer(t *testing.T) {
	t.Parallel()
	shared.sqs.givenQueue(t, "tls")
	authority := givenAuthority()
	servers := append(givenTLSServers(t, authority), tlsServer{name: plaintext, address: shared.scaler})
	for _, server := range servers {
		for _, each := range tlsCases(authority) {
			asked := givenTrigger(map[string]string{"queueURL": "tls", "enableTLS": each.metadata["enableTLS"], "unsafeSsl": each.metadata["unsafeSsl"]})
			asked.authentication = each.authentication
			seen := askSluice(t.Context(), asked, server.address)
			isRight := seen.metadataError == nil && seen.queueError == nil
			if expected, fails := each.errors[server.name]; fails {
				isRight = status.Code(seen.metadataError) == codes.Unavailable && (isMetadataError(seen, expected) || isBrokenOff(seen, expected))
			}
			results.check(t, "TLS options, "+server.name, isRight, "%s: %v", each.name, seen)
		}
	}
}

// isBrokenOff tells whether the server hung up on a client that it does not let in: in TLS 1.3 the client may
// already write by then, and sees that instead of the reason.
func isBrokenOff(seen answer, expected string) bool {
	byServer := expected == noClient || expected == unnamed
	return byServer && (isMetadataError(seen, "broken pipe") || isMetadataError(seen, "connection reset by peer"))
}

// Go's own client offers what the server takes: 1.2 and 1.3, and nothing older.
func TestTLSBefore12IsRefused(t *testing.T) {
	t.Parallel()
	authority := givenAuthority()
	address := givenTLSServers(t, authority)[0].address
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(authority.certificate))
	for version, works := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		config := &tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version, NextProtos: []string{"h2"}}
		connection, err := tls.Dial("tcp", address, config)
		if err == nil {
			connection.Close()
		}
		results.check(t, "TLS versions", (err == nil) == works, "%s: %v", tls.VersionName(version), err)
	}
}
