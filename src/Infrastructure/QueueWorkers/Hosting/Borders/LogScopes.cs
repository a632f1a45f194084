using System.Diagnostics;
using Microsoft.Extensions.Logging;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// What log lines carry beside their own values: the scopes that code has opened, masked; the run of a step
/// (<see cref="RunFlow"/>); the current trace and span. Nothing of it is made before a provider asks for it.
/// </summary>
internal sealed class LogScopes : IExternalScopeProvider
{
    private readonly LoggerExternalScopeProvider _scopes = new();

    /// <inheritdoc />
    public void ForEachScope<TState>(Action<object?, TState> callback, TState state)
    {
        _scopes.ForEachScope(
            static (scope, to) => to.callback(Masked(scope), to.state),
            (callback: callback, state: state)
        );
        if (RunFlow.Current?.Scope is { } run)
            callback(run, state);
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } span)
            callback(
                new MaskedState(
                    new KeyValuePair<string, object?>[]
                    {
                        new("TraceId", span.TraceId.ToString()),
                        new("SpanId", span.SpanId.ToString()),
                    },
                    $"trace {span.TraceId}, span {span.SpanId}"
                ),
                state
            );
    }

    /// <inheritdoc />
    public IDisposable Push(object? state) => _scopes.Push(state);

    private static object? Masked(object? scope) =>
        scope is null ? null
        : scope is IEnumerable<KeyValuePair<string, object?>>
            ? new MaskedState(scope, MaskedState.Safe(scope.ToString() ?? ""))
        : MaskedState.Safe(scope.ToString() ?? "");
}
