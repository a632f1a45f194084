using Orders.Infrastructure.Orders;
using Orders.Producer.Api;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Docs;
using Orders.Producer.Api.Health;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Orders;
using Orders.Producer.Api.Problems;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(ConnectionLimits.Apply);
builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(22));

// What orders are stored in, and what takes them in.
builder.Services.AddOrdersStore(builder.Configuration).AddOrderIntake();
// The relay and the telemetry of the process belong here.

// The API: keys, catalogue, limits, endpoints, documentation.
builder.Services.AddApi(builder.Configuration);
builder.Services.AddOrderEndpoints();
builder.Services.AddApiDescription();

var app = builder.Build();

// From the outside in: whatever goes wrong becomes a problem; then who is it, may they, how often.
app.UseMiddleware<ProblemPages>();
app.UseRouting();
app.UseMiddleware<ApiKeyAuthentication>();
app.UseRateLimiter();

app.MapOrders();
app.MapHealth();
app.MapDocs();

await app.RunAsync();
