namespace QueueWorkers.Tls;

/// <summary>A call whose failure says what is wrong with the server's certificate, instead of "see inner
/// exception".</summary>
public sealed class TrustedHandler : DelegatingHandler
{
    private readonly ServerTrust _trust;

    /// <summary>Creates one.</summary>
    /// <param name="trust">Which servers are trusted.</param>
    /// <param name="handler">Makes the call; it is made to trust.</param>
    public TrustedHandler(ServerTrust trust, SocketsHttpHandler handler)
        : base(handler)
    {
        _trust = trust;
        handler.Trust(trust);
    }

    /// <inheritdoc />
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException fault) when (_trust.Explain(fault) is { } why)
        {
            throw new HttpRequestException(fault.HttpRequestError, why, fault, fault.StatusCode);
        }
    }
}
