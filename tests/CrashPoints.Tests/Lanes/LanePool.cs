using System.Threading.Channels;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>
/// Lanes for cases that run side by side: made when they are first needed, used again while they are clean.
/// </summary>
internal sealed class LanePool : IAsyncDisposable
{
    private readonly Channel<Lane> _free = Channel.CreateUnbounded<Lane>();

    /// <summary>
    /// Runs a case in a lane of its own. A lane in which a case has failed is not used again, so that one failure stays
    /// one.
    /// </summary>
    public async Task RunAsync(Func<Lane, Task> play)
    {
        if (!_free.Reader.TryRead(out var lane))
            lane = await Lane.CreateAsync();
        try
        {
            await play(lane);
        }
        catch
        {
            TestContext.Out.WriteLine(
                $"The worker's last lines:\n{lane.Workers}\nThe API's last lines:\n{lane.Api}\nThe operators' last lines:\n{lane.Operators}"
            );
            await lane.DisposeAsync();
            throw;
        }

        await _free.Writer.WriteAsync(lane);
    }

    /// <summary>Looks at the books of all lanes.</summary>
    private async Task VerifyInvariantsAsync()
    {
        var lanes = new List<Lane>();
        while (_free.Reader.TryRead(out var lane))
            lanes.Add(lane);
        lanes.ForEach(lane => _free.Writer.TryWrite(lane));
        foreach (var lane in lanes)
            await lane.VerifyInvariantsAsync();
    }

    /// <summary>Looks at the books of all lanes, and ends them whatever stands there.</summary>
    public async Task CloseAsync()
    {
        try
        {
            await VerifyInvariantsAsync();
        }
        finally
        {
            await DisposeAsync();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        while (_free.Reader.TryRead(out var lane))
            await lane.DisposeAsync();
    }
}
