using NUnit.Framework.Constraints;

namespace Orders.Testing.Tls;

/// <summary>What an operator must be told of a server that was refused: what was expected, what was found, what to
/// change.</summary>
public static class TlsWords
{
    /// <summary>The sentences on a certificate.</summary>
    /// <param name="wrong">What is wrong with it.</param>
    /// <param name="setting">The variable that names the server.</param>
    /// <param name="caSetting">The variable of the authorities' file.</param>
    public static IResolveConstraint On(Wrong wrong, string setting, string caSetting)
    {
        var text = Does.Contain("was refused: its certificate is not trusted").And.Contain("Expected one for '");
        return wrong switch
        {
            Wrong.Authority => text
                .And.Match("UntrustedRoot|PartialChain")
                .And.Contain("issued by 'CN=A stranger's authority'")
                .And.Contain(caSetting),
            Wrong.Name => text
                .And.Contain("RemoteCertificateNameMismatch")
                .And.Contain("found one for 'elsewhere.example'")
                .And.Contain(setting),
            _ => text.And.Contain("NotTimeValid").And.Contain("found one for 'localhost").And.Contain("Renew"),
        };
    }

    /// <summary>The sentence on a server without TLS.</summary>
    /// <param name="remedy">What to change.</param>
    public static IResolveConstraint OnPlainText(string remedy) =>
        Does.Contain("was refused: expected TLS, found").And.Contain(remedy);
}
