using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>
/// Who connects to a server asks <c>QueueWorkers.Tls.ServerTrust</c> whether it is the right one. A client that is made
/// in another way would take what its library takes: MassTransit any certificate chain, others any name.
/// </summary>
public sealed partial class TlsTests
{
    private static readonly string[] Asks = ["ServerTrust", "TrustedHandler", ".Trust", "UseEncryption"];

    [Test]
    public void Every_client_is_made_where_it_is_told_whom_to_trust() =>
        Assert.That(
            Repository
                .Sources("src")
                .Select(path => (Path: path, Text: Repository.Read(path)))
                .Where(file => Client().IsMatch(file.Text))
                .Where(file => !Asks.Any(word => file.Text.Contains(word, StringComparison.Ordinal)))
                .Select(file => file.Path),
            Is.Empty,
            "files that make a client without QueueWorkers.Tls"
        );

    [Test]
    public void Nobody_believes_any_certificate()
    {
        var places = Repository
            .Sources("src")
            .Where(path => Callback().IsMatch(Repository.Read(path)))
            .Where(path => !path.StartsWith("src/Infrastructure/QueueWorkers/Tls/", StringComparison.Ordinal));
        Assert.Multiple(() =>
        {
            foreach (var path in places)
                Assert.That(Repository.Read(path), Does.Match(@"\b_?[tT]rust\b"), path);
        });
    }

    // The design-time factory of migrations opens no connection.
    [GeneratedRegex(
        @"new (?:HttpClient|SocketsHttpHandler|HttpClientHandler|ConnectionFactory|SmtpClient|NpgsqlDataSourceBuilder|NpgsqlConnection)\b|UseSsl\(|UseSocketsHttpHandler\(|NpgsqlDataSource\.Create\("
    )]
    private static partial Regex Client();

    [GeneratedRegex(@"CertificateValidationCallback\s*=")]
    private static partial Regex Callback();
}
