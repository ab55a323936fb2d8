// Certificates for TLS, and scalers that use them.

package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	certificate string
	signs       *x509.Certificate
	key         *ecdsa.PrivateKey
}

// pair is a certificate and its key in PEM.
type pair struct {
	certificate string
	key         string
}

func givenAuthority() authority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of " + time.Now().String()}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	signed := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return authority{certificate: pemText("CERTIFICATE", signed), signs: must(x509.ParseCertificate(signed)), key: key}
}

// issue makes a certificate of this machine for server and client alike.
func (a authority) issue(name string) pair {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	signed := must(x509.CreateCertificate(rand.Reader, template, a.signs, key.Public(), a.key))
	return pair{certificate: pemText("CERTIFICATE", signed), key: pemText("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key)))}
}

// asClient is what a TriggerAuthentication says to use the pair, and to trust an authority if there is one.
func (p pair) asClient(trusted *authority) map[string]string {
	parameters := map[string]string{"tlsClientCert": p.certificate, "tlsClientKey": p.key}
	if trusted != nil {
		parameters["caCert"] = trusted.certificate
	}
	return parameters
}

// givenTLSServers starts a scaler for each kind of TLS with certificates of the authority.
func givenTLSServers(t *testing.T, authority authority) []tlsServer {
	t.Helper()
	folder, server := t.TempDir(), authority.issue("sluice")
	path := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flags := []string{"--tls-certificate", path("tls.crt", server.certificate), "--tls-key", path("tls.key", server.key)}
	clients := []string{"--tls-client-ca", path("ca.crt", authority.certificate)}
	var servers []tlsServer
	for _, kind := range []struct {
		name string
		more []string
	}{{oneWay, nil}, {mutual, clients}, {named, append(clients[:2:2], "--tls-client-names", "keda-operator")}} {
		scaler, err := startScaler("127.0.0.1:0", append(flags[:4:4], kind.more...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(scaler.stop)
		servers = append(servers, tlsServer{name: kind.name, address: scaler.told["grpc"]})
	}
	return servers
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func pemText(kind string, bytes []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
}
