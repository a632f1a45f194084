namespace QueueWorkers.Tls;

/// <summary>Calls by HTTP that trust as <see cref="ServerTrust"/> says.</summary>
public static class TrustedHttp
{
    /// <summary>Lets a handler connect by TLS 1.2 or 1.3 to trusted servers only.</summary>
    public static void Trust(this SocketsHttpHandler handler, ServerTrust trust)
    {
        handler.SslOptions.EnabledSslProtocols = ServerTrust.Protocols;
        handler.SslOptions.RemoteCertificateValidationCallback = trust.Require;
    }
}
