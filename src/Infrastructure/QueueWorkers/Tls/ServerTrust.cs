using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace QueueWorkers.Tls;

/// <summary>
/// Whether a server is believed to be the one that a setting names: by a certificate for its name, valid now, of a
/// trusted authority. Every connection with TLS asks here: to RabbitMQ, to its management API, to PostgreSQL, to the mail
/// server, and by HTTP. There is no way to switch it off.
/// </summary>
/// <param name="Server">What the server is called in a message, such as <c>RabbitMQ</c>.</param>
/// <param name="CaFile">PEM file with private authorities; null for those of the system. It is read at each
/// connection, so a renewed one needs no restart.</param>
public sealed record ServerTrust(string Server, string? CaFile)
{
    /// <summary>TLS 1.2 and 1.3, whatever the system allows.</summary>
    public const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    /// <summary>The variable that names the server.</summary>
    public required string HostSetting { get; init; }

    /// <summary>The variable of <see cref="CaFile"/>; null when there is none.</summary>
    public string? CaSetting { get; init; }

    /// <summary>What an operator changes when the server speaks no TLS.</summary>
    public required string WithoutTls { get; init; }

    /// <summary>Whether the authorities of the system are trusted besides those of the file.</summary>
    public bool BesidesSystem { get; init; }

    /// <summary>The variable that switches the check of revocation off; null when nothing is checked.</summary>
    public string? RevocationSetting { get; init; }

    /// <summary>For a client that takes a callback: throws the reason instead of returning false, so that it is not
    /// lost.</summary>
    /// <exception cref="UntrustedServerException">It is not trusted.</exception>
    public bool Require(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        Require([((SslStream)sender).TargetHostName], certificate, chain, errors);

    /// <summary>The same for a cluster: the certificate may be that of any of its nodes.</summary>
    /// <exception cref="UntrustedServerException">It is not trusted.</exception>
    public RemoteCertificateValidationCallback RequireOneOf(IReadOnlyList<string> names) =>
        (_, certificate, chain, errors) => Require(names, certificate, chain, errors);

    /// <summary>Why a certificate is not trusted, in a sentence; null when it is.</summary>
    /// <param name="names">The names that the server may have.</param>
    /// <param name="certificate">What it has shown.</param>
    /// <param name="chain">What the system has made of it.</param>
    /// <param name="errors">The system's verdict.</param>
    public string? WhyNot(
        IReadOnlyList<string> names,
        X509Certificate? certificate,
        X509Chain? chain,
        SslPolicyErrors errors
    )
    {
        var expected = string.Join(" or ", names.Select(n => $"'{n}'"));
        if (certificate is null || chain is null)
            return $"{Server} at {expected} was refused: expected a certificate, found none. Give the server one.";
        using var found = new X509Certificate2(certificate);
        var problems = new List<string>();
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) && !names.Any(n => IsFor(found, n)))
            problems.Add(nameof(SslPolicyErrors.RemoteCertificateNameMismatch));
        if (ProblemsOf(found, chain, errors, problems) is { } unreadable)
            return $"{Server} at {expected} was refused: expected certificates of authorities in '{CaFile}', found: {unreadable}. Check {CaSetting}.";
        return problems.Count == 0
            ? null
            : $"{Server} at {expected} was refused: its certificate is not trusted ({string.Join(", ", problems)}). "
                + $"Expected one for {expected} that is valid now, of an authority {Authorities}; found {CertificateText.Of(found)}. "
                + string.Join(' ', problems.Select(p => Remedy(p, expected)).Distinct());
    }

    /// <summary>A sentence on a connection that failed for TLS; null when it failed for something else.</summary>
    public string? Explain(Exception fault) =>
        Find<UntrustedServerException>(fault)?.Message
        ?? (
            Find<AuthenticationException>(fault) is not { } handshake ? null
            : handshake.InnerException is null
                ? $"{Server} was refused: expected TLS, found an answer that is none, such as plain text. {WithoutTls}"
            : $"{Server} was refused: expected TLS 1.2 or 1.3, found: {Innermost(handshake).Message} {WithoutTls}"
        );

    private string Authorities =>
        CaFile is null ? "that this system trusts"
        : BesidesSystem ? $"that this system trusts or '{CaFile}' has"
        : $"that '{CaFile}' has";

    private bool Require(
        IReadOnlyList<string> names,
        X509Certificate? certificate,
        X509Chain? chain,
        SslPolicyErrors errors
    ) => WhyNot(names, certificate, chain, errors) is { } why ? throw new UntrustedServerException(why) : true;

    // Adds what is wrong with the certificate itself and its authority. Returns why that cannot be told.
    private string? ProblemsOf(X509Certificate2 found, X509Chain chain, SslPolicyErrors errors, List<string> problems)
    {
        var systemTrusts = !errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors);
        if (CaFile is null || (BesidesSystem && systemTrusts))
        {
            if (!systemTrusts)
                problems.AddRange(Statuses(chain));
            return null;
        }

        var authorities = AuthorityFile.Read(CaFile, out var problem);
        try
        {
            if (problem is not null)
                return problem;
            using var own = new X509Chain();
            own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            own.ChainPolicy.CustomTrustStore.AddRange(authorities);
            own.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);
            own.ChainPolicy.RevocationMode = RevocationSetting is null
                ? X509RevocationMode.NoCheck
                : X509RevocationMode.Online;
            foreach (var element in chain.ChainElements.Skip(1))
                own.ChainPolicy.ExtraStore.Add(element.Certificate);
            own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
            if (!own.Build(found))
                problems.AddRange(Statuses(own));
            return null;
        }
        finally
        {
            foreach (var authority in authorities)
                authority.Dispose();
        }
    }

    private string Remedy(string problem, string expected) =>
        problem switch
        {
            nameof(SslPolicyErrors.RemoteCertificateNameMismatch) =>
                $"Set {HostSetting} to a name of the certificate, or give the server one for {expected}.",
            nameof(X509ChainStatusFlags.NotTimeValid) =>
                "Renew the server's certificate, or set this machine's clock right.",
            nameof(X509ChainStatusFlags.UntrustedRoot)
            or nameof(X509ChainStatusFlags.PartialChain) when CaSetting is null =>
                "Give the server a certificate of an authority that this system trusts.",
            nameof(X509ChainStatusFlags.UntrustedRoot)
            or nameof(X509ChainStatusFlags.PartialChain) when CaFile is null =>
                $"Set {CaSetting} to a PEM file with the server's authority.",
            nameof(X509ChainStatusFlags.UntrustedRoot) or nameof(X509ChainStatusFlags.PartialChain) =>
                $"If the server is the right one, add its authority to the file of {CaSetting}.",
            nameof(X509ChainStatusFlags.RevocationStatusUnknown)
            or nameof(X509ChainStatusFlags.OfflineRevocation) when RevocationSetting is not null =>
                $"Set {RevocationSetting}=false if the authority has no revocation list.",
            _ => "Give the server another certificate.",
        };

    private static bool IsFor(X509Certificate2 certificate, string name) =>
        Uri.CheckHostName(name) != UriHostNameType.Unknown && certificate.MatchesHostname(name, allowCommonName: false);

    // Asked only after an error: one without a status must not count as none.
    private static IEnumerable<string> Statuses(X509Chain chain) =>
        chain
            .ChainStatus.Select(status => status.Status.ToString())
            .Distinct()
            .DefaultIfEmpty(nameof(SslPolicyErrors.RemoteCertificateChainErrors));

    private static T? Find<T>(Exception fault)
        where T : Exception =>
        fault switch
        {
            T found => found,
            AggregateException several => several.InnerExceptions.Select(Find<T>).FirstOrDefault(e => e is not null),
            _ => fault.InnerException is { } inner ? Find<T>(inner) : null,
        };

    private static Exception Innermost(Exception exception) =>
        exception.InnerException is { } inner ? Innermost(inner) : exception;
}
