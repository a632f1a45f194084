using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orders.Infrastructure;
using Orders.Testing.Zoo;
using Orders.ZooWorker;
using QueueWorkers;
using QueueWorkers.Failpoints;
using QueueWorkers.Hosting;
using QueueWorkers.Scheduling;

// A worker process of the zoo, made to be killed: steps by Workers__Steps, and the schedule that ticks every second
// unless Workers__Schedules is false.
Failpoint.Listen();
var builder = Host.CreateApplicationBuilder(args);
builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Information);
builder.Services.AddExitDeadline(builder.Configuration);
builder.Services.AddOrdersStore(builder.Configuration);
builder.Services.AddRelay(builder.Configuration);
builder.Services.AddSteps<OrdersDbContext>(
    builder.Configuration,
    DeadlyZoo.Steps.Choose(builder.Configuration["Workers:Steps"])
);
builder.Services.AddSchedules(builder.Configuration, DeadlyZoo.Schedules);
if (builder.Configuration["Zoo:Sloth"] == "true")
    builder.Services.AddHostedService<Sloth>();
if (builder.Configuration["Zoo:Lemming"] is { } end)
    builder.Services.AddHostedService(_ => new Lemming(end));
await builder.Build().RunAsync();
