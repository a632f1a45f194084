using Npgsql;

namespace QueueWorkers.Tls;

/// <summary>TLS to PostgreSQL: required by a setting or by <c>SSL Mode=VerifyFull</c>, and then checked as all TLS
/// is.</summary>
public static class DatabaseEncryption
{
    private static readonly ServerTrust Database = new("PostgreSQL", CaFile: null)
    {
        HostSetting = "Host in ConnectionStrings__Postgres",
        CaSetting = "Database__CaFile",
        WithoutTls = "Switch ssl on at PostgreSQL (ssl, ssl_cert_file, ssl_key_file).",
    };

    /// <summary>Adds it to a data source that is being built, if it is required.</summary>
    /// <param name="builder">Its connection string may ask for <c>VerifyFull</c>, with a <c>Root
    /// Certificate</c>.</param>
    /// <param name="isRequired">Whether the settings require it.</param>
    /// <param name="caFile">The file of authorities; null for those that the connection string or the system
    /// trusts.</param>
    public static NpgsqlDataSourceBuilder UseEncryption(
        this NpgsqlDataSourceBuilder builder,
        bool isRequired,
        string? caFile
    )
    {
        var settings = builder.ConnectionStringBuilder;
        if (!isRequired && settings.SslMode != SslMode.VerifyFull)
            return builder;
        var trust = Database with { CaFile = caFile ?? settings.RootCertificate };
        // No plain text: Require fails without TLS. It checks nothing itself, and so takes our check, which says what it
        // has found; with VerifyFull the driver takes none but its own.
        settings.SslMode = SslMode.Require;
        settings.RootCertificate = null;
        settings.GssEncryptionMode = GssEncryptionMode.Disable;
        return builder.UseSslClientAuthenticationOptionsCallback(ssl =>
        {
            ssl.EnabledSslProtocols = ServerTrust.Protocols;
            ssl.RemoteCertificateValidationCallback = trust.Require;
        });
    }

    /// <summary>A sentence on a connection that failed for TLS; null when it failed for something else.</summary>
    public static string? Explain(Exception fault) => Database.Explain(fault) ?? (IsWithoutTls(fault) ? Refusal : null);

    private static string Refusal =>
        $"PostgreSQL was refused: expected TLS, found a server that offers none. {Database.WithoutTls}";

    // The driver has no other sign of it than these words.
    private static bool IsWithoutTls(Exception fault) =>
        fault is NpgsqlException and not PostgresException
            && fault.Message.Contains("No SSL enabled connection", StringComparison.Ordinal)
        || (fault.InnerException is { } inner && IsWithoutTls(inner));
}
