// TLS as KEDA's options ask for it, against a server that speaks none: a clear error, and no surprise.

package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// tlsCase is one combination of KEDA's options. worksOnTLS says what the same options do at a server
// whose certificate our authority signed and that asks for a client certificate: awaited.
type tlsCase struct {
	name           string
	metadata       map[string]string
	authentication map[string]string
	works          bool
	worksOnTLS     bool
}

func tlsCases(t *testing.T) []tlsCase {
	certificate, key := givenCertificate(t)
	return []tlsCase{
		{name: "no options", works: true},
		{name: "unsafeSsl alone does not turn TLS on", metadata: map[string]string{"unsafeSsl": "true"}, works: true},
		{name: "a client certificate without its key is not used", authentication: map[string]string{"tlsClientCert": certificate}, works: true},
		{name: "a client key without its certificate is not used", authentication: map[string]string{"tlsClientKey": key}, works: true},
		{name: "enableTLS with the system's authorities", metadata: map[string]string{"enableTLS": "true"}},
		{name: "enableTLS without verification", metadata: map[string]string{"enableTLS": "true", "unsafeSsl": "true"}},
		{name: "caCert turns TLS on", authentication: map[string]string{"caCert": certificate}},
		{name: "enableTLS and caCert", metadata: map[string]string{"enableTLS": "true"}, authentication: map[string]string{"caCert": certificate}},
		{name: "a client certificate turns TLS on", authentication: map[string]string{"tlsClientCert": certificate, "tlsClientKey": key}},
		{name: "caCert and a client certificate", authentication: map[string]string{"caCert": certificate, "tlsClientCert": certificate, "tlsClientKey": key}, worksOnTLS: true},
	}
}

func TestTLSAgainstAPlaintextServerIsAClearError(t *testing.T) {
	t.Parallel()
	shared.sqs.givenQueue(t, "tls")
	for _, each := range tlsCases(t) {
		asked := givenTrigger(map[string]string{"queueURL": "tls", "enableTLS": each.metadata["enableTLS"], "unsafeSsl": each.metadata["unsafeSsl"]})
		asked.authentication = each.authentication
		seen := askSluice(t.Context(), asked, shared.scaler)
		isRight := seen.metadataError == nil && seen.queueError == nil
		if !each.works {
			isRight = status.Code(seen.metadataError) == codes.Unavailable && isMetadataError(seen, "first record does not look like a TLS handshake")
		}
		results.check(t, "TLS options, plaintext server", isRight, "%s: %v", each.name, seen)
		t.Logf("awaited at a TLS server: %s: works %t", each.name, each.worksOnTLS)
	}
}

// givenCertificate makes a certificate that signs itself, for authority, server and client alike.
func givenCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "conformance"}, NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pemText("CERTIFICATE", signed), pemText("PRIVATE KEY", encoded)
}

func pemText(kind string, bytes []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
}
