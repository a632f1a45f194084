using System.Data.Common;
using System.Diagnostics;
using Orders.Infrastructure.Coalescing;

namespace Orders.Dashboard.Viewing;

/// <summary>What a region of a page shows: a value, or why it could not be read. Only the region fails, never the page.</summary>
/// <param name="Value">The value; null when it could not be read.</param>
/// <param name="Fault">What the operator is told; null when there is a value.</param>
/// <param name="TraceId">Under which the fault is logged.</param>
public sealed record Loaded<T>(T? Value, string? Fault, string? TraceId) : ILoaded
    where T : class;

/// <summary>The part of <see cref="Loaded{T}"/> that a region needs when there is no value.</summary>
public interface ILoaded
{
    /// <summary>What the operator is told; null when there is a value.</summary>
    string? Fault { get; }

    /// <summary>Under which the fault is logged.</summary>
    string? TraceId { get; }
}

/// <summary>Reads what regions show.</summary>
internal sealed class Loader(ILogger<Loader> log)
{
    /// <summary>Longer than any page needs with a million orders; a database that takes longer is slow, and the operator is told.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <summary>Reads a region's value.</summary>
    /// <param name="what">What it is, for the message: "the orders".</param>
    /// <param name="read">Reads it.</param>
    /// <param name="cancellationToken">The request's.</param>
    /// <param name="patience">How long it may take; null for <see cref="Limit"/>.</param>
    public async Task<Loaded<T>> LoadAsync<T>(string what, Func<CancellationToken, Task<T>> read, CancellationToken cancellationToken, TimeSpan? patience = null)
        where T : class
    {
        var most = patience ?? Limit;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(most);
        try
        {
            // Waits for itself and not for the driver: on a dead connection the driver needs longer than the operator's patience to give up.
            return new Loaded<T>(await read(limit.Token).WaitAsync(most, cancellationToken), null, null);
        }
        catch (Exception fault) when (fault is DbException or TimeoutException or HttpRequestException or IOException or InvalidOperationException { InnerException: DbException or TimeoutException }
            || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var trace = (Activity.Current?.TraceId ?? ActivityTraceId.CreateRandom()).ToHexString();
            DashboardLog.RegionNotRead(log, what, trace, fault);
            var late = fault is TimeoutException or OperationCanceledException || fault.InnerException is TimeoutException or OperationCanceledException;
            return new Loaded<T>(null, late ? $"The database did not give {what} within {most.TotalSeconds:0} s." : $"The database could not be asked for {what}.{(DatabaseFault.MayPass(fault) ? $" {DatabaseFault.Explain(fault)}" : "")}", trace);
        }
    }
}
