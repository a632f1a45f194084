using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Orders.Testing;

/// <summary>Keeps what a host logs, so that a test can ask for it and a failing one can show it.</summary>
public sealed class LogCapture : ILoggerProvider
{
    private const int Longest = 2000;
    private readonly ConcurrentQueue<(LogLevel Level, string Line)> _lines = new();
    private readonly ConcurrentQueue<string> _faults = new();

    /// <summary>The whole text of the faults so far, with those within them.</summary>
    public IReadOnlyList<string> Faults => [.. _faults];

    /// <summary>The lines so far.</summary>
    public IReadOnlyList<(LogLevel Level, string Line)> Lines => [.. _lines];

    /// <summary>The last lines, for a message.</summary>
    public override string ToString() =>
        string.Join(Environment.NewLine, _lines.TakeLast(60).Select(l => $"{l.Level}: {l.Line}"));

    /// <inheritdoc />
    public ILogger CreateLogger(string categoryName) => new Writer(this, categoryName);

    /// <inheritdoc />
    public void Dispose() { }

    private sealed class Writer(LogCapture book, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (!IsEnabled(logLevel))
                return;
            book._lines.Enqueue(
                (
                    logLevel,
                    $"{DateTime.UtcNow:HH:mm:ss.fff} {category} {formatter(state, exception)}{(exception is null ? "" : $" {exception.GetType().Name}: {exception.Message}")}"
                )
            );
            if (exception is not null)
                book._faults.Enqueue(exception.ToString());
            while (book._faults.Count > Longest)
                book._faults.TryDequeue(out _);
            while (book._lines.Count > Longest)
                book._lines.TryDequeue(out _);
        }
    }
}
