using MassTransit;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Orders.Bench.MassTransitPlain;

// `api` takes orders, `worker` runs the four consumers: two processes, as one would deploy them.
var role = args is ["api"] or ["worker"]
    ? args[0]
    : throw new ArgumentException($"expected the argument `api` or `worker`, got `{string.Join(' ', args)}`");

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSingleton(NpgsqlDataSource.Create(Required("DATABASE_URL")));
builder.Services.AddSingleton<OrderStore>();
builder.Services.AddHealthChecks();
builder.Services.AddMassTransit(x =>
{
    x.SetKebabCaseEndpointNameFormatter();
    if (role == "worker")
    {
        x.AddConsumers(typeof(EmailConsumer).Assembly);
        x.AddConfigureEndpointsCallback((_, endpoint) => endpoint.UseMessageRetry(r => r.Intervals(100, 500, 1000)));
    }

    x.UsingRabbitMq(
        (context, rabbit) =>
        {
            rabbit.Host(new Uri(Required("RABBITMQ_URL")));
            rabbit.PrefetchCount = builder.Configuration.GetValue<ushort>("PREFETCH", 32);
            rabbit.ConfigureEndpoints(context);
        }
    );
});

var app = builder.Build();
if (role == "api")
{
    OrderEndpoint.Map(app);
}

// MassTransit's own check. Degraded is not ready either: some queue would not be bound yet, and what is published for
// it lost.
app.MapHealthChecks(
    "/health/ready",
    new HealthCheckOptions { ResultStatusCodes = { [HealthStatus.Degraded] = StatusCodes.Status503ServiceUnavailable } }
);
await app.RunAsync();

string Required(string name) =>
    builder.Configuration[name]
    ?? throw new InvalidOperationException($"{name} is not set: ./dev bench sets it for every MassTransit process");
