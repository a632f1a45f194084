using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// Masks personal data (<see cref="PersonalText"/>) in every log line before a provider sees it: text, values and
/// faults, whoever writes it. Characters that steer a terminal or turn text around are escaped (<see cref="LogText"/>):
/// a fault quotes what a client, a mail server or a foreign message says. Scopes are masked too (<see
/// cref="LogScopes"/>), and where <see cref="LogLimit"/> is registered the lines are bounded.
/// </summary>
public static class MaskedLogging
{
    /// <summary>Puts the mask between loggers and providers.</summary>
    public static IServiceCollection AddMaskedLogging(this IServiceCollection services)
    {
        services.TryAddSingleton<IExternalScopeProvider, LogScopes>();
        return services.Replace(
            ServiceDescriptor.Singleton<ILoggerFactory>(provider => new Factory(
#pragma warning disable CA2000 // The factory around it disposes it.
                new LoggerFactory(
                    provider.GetServices<ILoggerProvider>(),
                    provider.GetRequiredService<IOptionsMonitor<LoggerFilterOptions>>(),
                    provider.GetRequiredService<IOptions<LoggerFactoryOptions>>(),
                    provider.GetService<IExternalScopeProvider>()
                ),
#pragma warning restore CA2000
                provider.GetService<LogLimit>()
            ))
        );
    }

    private sealed class Factory(LoggerFactory inner, LogLimit? limit) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) =>
            new Logger(inner.CreateLogger(categoryName), categoryName, limit);

        public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

        public void Dispose() => inner.Dispose();
    }

    private sealed class Logger(ILogger inner, string category, LogLimit? limit) : ILogger
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
            var unsaid = 0;
            if (
                limit?.Takes(category, eventId.Id, logLevel, eventId.Id == 0 ? TemplateOf(state) : null, out unsaid)
                is false
            )
                return;
            var text = formatter(state, exception);
            var safe = LogText.Of(PersonalText.Of(text));
            if (unsaid > 0)
                safe = string.Create(CultureInfo.InvariantCulture, $"{safe} ({unsaid} more since the last line)");
            var told = exception is null ? null : LogText.Of(PersonalText.Of(exception));
            if (ReferenceEquals(text, safe) && ReferenceEquals(exception, told))
                inner.Log(logLevel, eventId, state, exception, formatter);
            else
                inner.Log(logLevel, eventId, new MaskedState(state, safe), told, static (masked, _) => masked.Text);
        }

        private static string? TemplateOf<TState>(TState state) =>
            state is IReadOnlyList<KeyValuePair<string, object?>> { Count: > 0 } values
            && values[^1] is { Key: "{OriginalFormat}", Value: string template }
                ? template
                : null;
    }
}
