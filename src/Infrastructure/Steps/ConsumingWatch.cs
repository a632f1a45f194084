using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orders.Infrastructure.Controls;
using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Messaging;
using Orders.Infrastructure.Telemetry;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Orders.Infrastructure.Steps;

/// <summary>
/// Knows whether each step of this process consumes, and why not. It is the health check <c>consuming</c>, and it ends a process that has been unable to
/// consume for too long, although broker and database answer: a container engine starts a process again that ended, not one that is unhealthy.
/// Ending loses nothing: what was not acked returns to its queue.
/// </summary>
internal sealed class ConsumingWatch : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(2);

    private readonly StepGates _gates;
    private readonly StepConsumptions _consumptions;
    private readonly BrokerConnection _broker;
    private readonly RabbitMqOptions _rabbit;
    private readonly HealthOptions _options;
    private readonly IServiceProvider _services;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger<ConsumingWatch> _logger;
    private readonly Watched[] _steps;
    private long? _uselessSince;

    public ConsumingWatch(
        StepGates gates, StepConsumptions consumptions, BrokerConnection broker, RabbitMqOptions rabbit, HealthOptions options, IServiceProvider services,
        IHostApplicationLifetime lifetime, TimeProvider time, IMeterFactory meters, ILogger<ConsumingWatch> logger)
    {
        (_gates, _consumptions, _broker, _rabbit, _options) = (gates, consumptions, broker, rabbit, options);
        (_services, _lifetime, _time, _logger) = (services, lifetime, time, logger);
        _steps = [.. gates.All.Select(g => new Watched(g.Step.Name))];
        meters.Create(OrdersTelemetry.Name).CreateObservableGauge<int>(
            "orders.step.consuming", () => _steps.Select(s => new Measurement<int>(IsHealthy(s) ? 1 : 0, new KeyValuePair<string, object?>("step", s.Step))),
            description: "1 while the step consumes or has nothing to consume; 0 while it cannot.");
    }

    private enum Cause
    {
        /// <summary>It consumes, or has nothing to consume.</summary>
        None,

        /// <summary>The broker refuses the process.</summary>
        Refused,

        /// <summary>The broker answers, and nothing is consumed.</summary>
        Stuck,

        /// <summary>The broker cannot be reached: a new process could not reach it either.</summary>
        Unreachable,
    }

    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var reasons = _steps.Where(s => !IsHealthy(s)).Select(s => s.Reason).Distinct().ToArray();
        return Task.FromResult(reasons.Length == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(string.Join(" ", reasons)));
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var interval = TimeSpan.FromTicks(Math.Min(LongestInterval.Ticks, _options.ConsumingWithin.Ticks / 4));
        while (!stoppingToken.IsCancellationRequested)
        {
            foreach (var step in _steps)
            {
                try
                {
                    await LookAsync(step, stoppingToken);
                }
                catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
                {
                    return;
                }
#pragma warning disable CA1031 // Not knowing is a finding too, and the loop has to go on: it is what ends a process that is no use.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    Bad(step, Cause.Unreachable, $"Whether step {step.Step} consumes cannot be found out: {exception.Message}");
                }
            }

            EndIfUseless();
            await Task.Delay(interval, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync(Watched step, CancellationToken cancellationToken)
    {
        var (gate, consumption) = (_gates.Of(step.Step), _consumptions.Of(step.Step));
        // Not yet known to be open, because the database is away: another check's business.
        if (!gate.Known.IsCompleted)
            return;
        // Closed on purpose.
        if (gate.Limit == 0)
        {
            Good(step);
            return;
        }

        if (!consumption.IsSubscribed)
        {
            await ProbeAsync(step, cancellationToken);
            return;
        }

        var recently = _options.ConsumingWithin / 4;
        if (gate.Running > 0 || consumption.SinceDelivery < recently)
            Good(step);
        else if (step.Cause != Cause.None || _time.GetElapsedTime(step.GoodAt) > recently)
            await CountAsync(step, cancellationToken);
    }

    // Nothing has come for a while: is there anything?
    private async Task CountAsync(Watched step, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await _broker.OpenAsync(cancellationToken);
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            if ((await channel.QueueDeclarePassiveAsync(step.Step, cancellationToken)).MessageCount is > 0 and var waiting)
                Bad(step, Cause.Stuck, $"Queue {step.Step} holds {waiting} messages, and none has come to this worker for {_options.ConsumingWithin / 4} or more.");
            else
                Good(step);
        }
        catch (OperationInterruptedException missing) when (missing.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            Bad(step, Cause.Stuck, $"Queue {step.Step} does not exist; run `deploy`.");
        }
        catch (Exception exception) when (exception is RabbitMQClientException or IOException or TimeoutException)
        {
            Bad(step, CauseOf(exception), $"{BrokerFault.Describe(exception, _rabbit)}.");
        }
    }

    // Not subscribed. A connection of its own tells why: the one that the step has lost says nothing any more.
    private async Task ProbeAsync(Watched step, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await BrokerConnection.CreateFactory(_rabbit).CreateConnectionAsync($"{AppDomain.CurrentDomain.FriendlyName} health", cancellationToken);
            Bad(step, Cause.Stuck, $"RabbitMQ takes connections, and step {step.Step} is not subscribed to its queue; the log says why.");
        }
        catch (Exception exception) when (exception is RabbitMQClientException or IOException or TimeoutException)
        {
            Bad(step, CauseOf(exception), $"{BrokerFault.Describe(exception, _rabbit)}.");
        }
    }

    private static Cause CauseOf(Exception exception) => BrokerFault.IsRefusedLogin(exception) ? Cause.Refused : Cause.Unreachable;

    private bool IsHealthy(Watched step) => step.Cause switch
    {
        Cause.None => true,
        Cause.Refused => false,
        _ => step.GoodAt != 0 && _time.GetElapsedTime(step.GoodAt) <= _options.ConsumingWithin,
    };

    private void Good(Watched step)
    {
        if (step.Told)
            StepLog.ConsumesAgain(_logger, step.Step);
        (step.Cause, step.Told, step.GoodAt) = (Cause.None, false, _time.GetTimestamp());
    }

    private void Bad(Watched step, Cause cause, string reason)
    {
        (step.Cause, step.Reason) = (cause, reason);
        if (step.Told || IsHealthy(step))
            return;
        step.Told = true;
        // Before its first subscription a process is not ready, and that is nothing to warn of.
        if (step.GoodAt != 0 || cause == Cause.Refused)
            StepLog.CannotConsume(_logger, step.Step, reason);
    }

    private void EndIfUseless()
    {
        var useless = Array.Find(_steps, s => s.Cause is Cause.Refused or Cause.Stuck && !IsHealthy(s) && _gates.Of(s.Step).Known.IsCompleted);
        if (useless is null || _options.ExitAfter == TimeSpan.Zero)
        {
            _uselessSince = null;
            return;
        }

        _uselessSince ??= _time.GetTimestamp();
        if (_time.GetElapsedTime(_uselessSince.Value) < _options.ExitAfter || _lifetime.ApplicationStopping.IsCancellationRequested)
            return;
        StepLog.EndsItself(_logger, useless.Step, _options.ExitAfter, useless.Reason, HealthOptions.ExitCode);
        Environment.ExitCode = HealthOptions.ExitCode;
        _services.GetService<ExitDeadline>()?.Begin(HealthOptions.ExitCode);
        _lifetime.StopApplication();
    }

    private sealed class Watched(string step)
    {
        public string Step => step;

        // 0 until it was good for the first time.
        public long GoodAt { get; set; }

        public Cause Cause { get; set; } = Cause.Stuck;

        public string Reason { get; set; } = $"Step {step} has not begun to consume yet.";

        public bool Told { get; set; }
    }
}
