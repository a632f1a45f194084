using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orders.Testing.Tls;

/// <summary>
/// A certificate authority of a test, and a folder with its certificate. Its servers are called as tests call them:
/// localhost, 127.0.0.1 and ::1.
/// </summary>
public sealed class TestAuthority : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("orders-tls-").FullName;
    private readonly X509Certificate2 _authority;

    /// <summary>Founds one.</summary>
    /// <param name="name">What it is called.</param>
    public TestAuthority(string name = "The right authority")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true)
        );
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
        CaFile = Write("ca.pem", Pem);
    }

    /// <summary>The certificate, for clients that shall trust it.</summary>
    public string Pem => _authority.ExportCertificatePem();

    /// <summary>A file with it.</summary>
    public string CaFile { get; }

    /// <summary>What the operator may have done wrong with a certificate, and nothing.</summary>
    /// <param name="wrong">What is wrong with it.</param>
    /// <param name="address">One more address of the server, such as that of a container.</param>
    public TestCertificate Certify(Wrong wrong, string? address = null)
    {
        if (wrong == Wrong.Authority)
        {
            using var stranger = new TestAuthority("A stranger's authority");
            return stranger.Certify(Wrong.Nothing, address);
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (wrong == Wrong.Name)
        {
            names.AddDnsName("elsewhere.example");
        }
        else
        {
            names.AddDnsName("localhost");
            names.AddIpAddress(IPAddress.Loopback);
            names.AddIpAddress(IPAddress.IPv6Loopback);
            if (IPAddress.TryParse(address, out var other))
                names.AddIpAddress(other);
            else if (address is not null)
                names.AddDnsName(address);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)
        );
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false)
        );
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.Create(
            _authority,
            now.AddDays(-2),
            wrong == Wrong.Expired ? now.AddDays(-1) : now.AddDays(2),
            RandomNumberGenerator.GetBytes(16)
        );
        return new TestCertificate(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Writes a file that is gone with the authority.</summary>
    /// <returns>Its path.</returns>
    public string Write(string name, string text)
    {
        var file = Path.Combine(_folder, name);
        // As a whole, as whoever renews a certificate should: a reader finds the old one or the new one.
        File.WriteAllText(file + ".new", text);
        File.Move(file + ".new", file, overwrite: true);
        return file;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A certificate and its key, as PEM.</summary>
/// <param name="Pem">The certificate.</param>
/// <param name="Key">The key.</param>
public sealed record TestCertificate(string Pem, string Key)
{
    /// <summary>As a server in the test's own process takes it.</summary>
    public X509Certificate2 Load() => X509Certificate2.CreateFromPem(Pem, Key);
}

/// <summary>What is wrong with a server's certificate.</summary>
public enum Wrong
{
    /// <summary>Nothing.</summary>
    Nothing,

    /// <summary>It is of an authority that nobody trusts.</summary>
    Authority,

    /// <summary>It is for another name.</summary>
    Name,

    /// <summary>It has expired.</summary>
    Expired,
}
