using QueueWorkers.Hosting;

namespace Orders.Producer.Api.Limits;

/// <summary>What one client may have open at once in one API process, section <c>Api:Client</c>.</summary>
internal sealed record ClientLoadOptions
{
    /// <summary>Requests of one client at once, event streams not counted. Default: 1000.</summary>
    /// <value>requests</value>
    public int Requests { get; init; } = 1000;

    /// <summary>
    /// Bytes of the bodies of one client's requests at once; at least one batch of 4 MiB. Default: 16 MiB.
    /// </summary>
    /// <value>bytes</value>
    public int Bytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Open event streams of one client. Default: 50.</summary>
    /// <value>streams</value>
    public int Streams { get; init; } = 50;

    /// <summary>Reads and checks the section.</summary>
    public static ClientLoadOptions Read(IConfiguration configuration, ConfigurationProblems problems)
    {
        var options = configuration.GetSection("Api:Client").Get<ClientLoadOptions>() ?? new ClientLoadOptions();
        problems
            .Require(
                options.Requests is >= 1 and <= 10_000,
                $"Api:Client:Requests must be 1–10000, got {options.Requests}; set Api__Client__Requests"
            )
            .Require(
                options.Bytes is >= Orders.PostOrderBatch.LargestBody and <= 1024 * 1024 * 1024,
                $"Api:Client:Bytes must be 4194304–1073741824, got {options.Bytes}; set Api__Client__Bytes"
            )
            .Require(
                options.Streams is >= 1 and <= 9000,
                $"Api:Client:Streams must be 1–9000, got {options.Streams}; set Api__Client__Streams"
            );
        return options;
    }
}
