using System.Collections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// Masks personal data (<see cref="PersonalText"/>) in every log line before a provider sees it: text, values and
/// faults, whoever writes it. Characters that steer a terminal or turn text around are escaped (<see cref="LogText"/>):
/// a fault quotes what a client, a mail server or a foreign message says.
/// </summary>
public static class MaskedLogging
{
    /// <summary>Puts the mask between loggers and providers.</summary>
    public static IServiceCollection AddMaskedLogging(this IServiceCollection services) =>
        services.Replace(
            ServiceDescriptor.Singleton<ILoggerFactory>(provider => new Factory(
#pragma warning disable CA2000 // The factory around it disposes it.
                new LoggerFactory(
                    provider.GetServices<ILoggerProvider>(),
                    provider.GetRequiredService<IOptionsMonitor<LoggerFilterOptions>>(),
                    provider.GetRequiredService<IOptions<LoggerFactoryOptions>>(),
                    provider.GetService<IExternalScopeProvider>()
                )
#pragma warning restore CA2000
            ))
        );

    private sealed class Factory(LoggerFactory inner) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => new Logger(inner.CreateLogger(categoryName));

        public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

        public void Dispose() => inner.Dispose();
    }

    private sealed class Logger(ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (!inner.IsEnabled(logLevel))
                return;
            var text = formatter(state, exception);
            var safe = LogText.Of(PersonalText.Of(text));
            var told = exception is null ? null : LogText.Of(PersonalText.Of(exception));
            if (ReferenceEquals(text, safe) && ReferenceEquals(exception, told))
                inner.Log(logLevel, eventId, state, exception, formatter);
            else
                inner.Log(logLevel, eventId, new MaskedState(state, safe), told, static (masked, _) => masked.Text);
        }
    }

    // Providers that keep values apart from the text, such as OTLP, read them here.
    private sealed class MaskedState(object? state, string text) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        private readonly KeyValuePair<string, object?>[] _values =
        [
            .. (state as IEnumerable<KeyValuePair<string, object?>> ?? []).Select(v => new KeyValuePair<
                string,
                object?
            >(
                v.Key,
                v.Value is null or bool or byte or short or int or long or double or decimal or Guid
                || (v.Value.ToString() is var value && (value is null || Safe(value) == value))
                    ? v.Value
                    : Safe(v.Value.ToString() ?? "")
            )),
        ];

        private static string Safe(string value) => LogText.Of(PersonalText.Of(value));

        public string Text => text;

        public int Count => _values.Length;

        public KeyValuePair<string, object?> this[int index] => _values[index];

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _values.AsEnumerable().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => text;
    }
}
