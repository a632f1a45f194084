using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Orders.Testing.Tls;
using QueueWorkers.Tls;

namespace Orders.Infrastructure.Tests.Tls;

/// <summary>The verdict on a certificate, where the system says less than usual.</summary>
public sealed class ServerTrustTests
{
    private static readonly ServerTrust Trust = new("The server", CaFile: null)
    {
        HostSetting = "Server__Host",
        CaSetting = "Server__CaFile",
        WithoutTls = "Switch TLS on.",
    };

    // Attack: the system's verdict is "no", and nothing in its list of reasons says why.
    [TestCase(SslPolicyErrors.RemoteCertificateChainErrors)]
    [TestCase(SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNameMismatch)]
    public void An_error_of_the_chain_without_a_status_is_refused(SslPolicyErrors errors)
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Certify(Wrong.Nothing).Load();
        using var chain = new X509Chain();
        Assert.That(chain.ChainStatus, Is.Empty);
        Assert.That(
            Trust.WhyNot(["localhost"], certificate, chain, errors),
            Does.StartWith("The server at 'localhost' was refused: its certificate is not trusted (")
                .And.Contain(nameof(SslPolicyErrors.RemoteCertificateChainErrors))
                .And.Contain("Give the server another certificate.")
        );
    }

    // With a file of authorities of its own the system's verdict on the chain counts for nothing, neither way.
    [TestCase(SslPolicyErrors.RemoteCertificateChainErrors)]
    [TestCase(SslPolicyErrors.None)]
    public void A_file_with_another_authority_refuses_whatever_the_system_says(SslPolicyErrors errors)
    {
        using var authority = new TestAuthority();
        using var another = new TestAuthority("Another authority");
        using var certificate = authority.Certify(Wrong.Nothing).Load();
        using var chain = new X509Chain();
        Assert.That(
            (Trust with { CaFile = another.CaFile }).WhyNot(["localhost"], certificate, chain, errors),
            Does.Contain("its certificate is not trusted (").And.Contain("Server__CaFile")
        );
        Assert.That(
            (Trust with { CaFile = authority.CaFile }).WhyNot(["localhost"], certificate, chain, errors),
            Is.Null
        );
    }

    [Test]
    public void No_certificate_and_no_chain_are_refused()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Certify(Wrong.Nothing).Load();
        using var chain = new X509Chain();
        Assert.That(
            Trust.WhyNot(["localhost"], null, chain, SslPolicyErrors.RemoteCertificateNotAvailable),
            Does.Contain("found none")
        );
        // A verdict of "yes" on a chain that nobody has built is no verdict.
        Assert.That(Trust.WhyNot(["localhost"], certificate, null, SslPolicyErrors.None), Does.Contain("found none"));
    }
}
