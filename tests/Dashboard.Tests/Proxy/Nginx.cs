using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orders.Testing.Servers;

namespace Orders.Dashboard.Tests.Proxy;

/// <summary>nginx with TLS, which passes <c>/ops/</c> on to the dashboard, as docs/reverse-proxy.md says.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;
    private readonly X509Certificate2 _certificate;

    private Nginx(Process process, string folder, X509Certificate2 certificate, int port)
    {
        (_process, _folder, _certificate) = (process, folder, certificate);
        Address = new Uri($"https://127.0.0.1:{port}/");
    }

    public Uri Address { get; }

    /// <summary>Starts it; ends when it listens.</summary>
    /// <param name="dashboard">The dashboard's own address.</param>
    public static async Task<Nginx> StartAsync(Uri dashboard)
    {
        var folder = Directory.CreateTempSubdirectory("orders-nginx-").FullName;
        var certificate = Certify(folder);
        var port = FreePort.Take();
        await File.WriteAllTextAsync(Path.Combine(folder, "nginx.conf"), Configuration(port, dashboard));
        var start = new ProcessStartInfo(Program, ["-p", folder, "-c", "nginx.conf", "-e", "error.log"])
        {
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        var nginx = new Nginx(process, folder, certificate, port);
        await Eventually.That(nginx.ListensAsync, Is.True, $"nginx listens on {port}");
        return nginx;
    }

    /// <summary>A client that trusts this server's certificate and keeps cookies, as a browser does.</summary>
    public HttpClient NewClient() =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                SslOptions = new()
                {
                    RemoteCertificateValidationCallback = (_, found, _, _) =>
                        found?.GetCertHashString() == _certificate.Thumbprint,
                },
            }
        )
        {
            BaseAddress = Address,
        };

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Program =>
        Environment.GetEnvironmentVariable("NGINX")
        ?? (
            (string[])
                [
                    "/usr/sbin/nginx",
                    Path.Combine(
                        Environment.GetEnvironmentVariable("XDG_CACHE_HOME")
                            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
                        "orders/nginx/usr/sbin/nginx"
                    ),
                ]
        ).FirstOrDefault(File.Exists)
        ?? throw new AssertionException("Expected nginx, found none; ./dev test brings it, or set NGINX to one.");

    // The location is the one of docs/reverse-proxy.md, with another address of the dashboard.
    private static string Configuration(int port, Uri dashboard) =>
        $$"""
            daemon off;
            worker_processes 1;
            pid nginx.pid;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path body;
              proxy_temp_path proxy;
              fastcgi_temp_path fastcgi;
              uwsgi_temp_path uwsgi;
              scgi_temp_path scgi;
              server {
                listen 127.0.0.1:{{port}} ssl;
                ssl_certificate cert.pem;
                ssl_certificate_key key.pem;
                {{Documented(dashboard)}}
              }
            }
            """;

    private static string Documented(Uri dashboard)
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot, "docs", "reverse-proxy.md"));
        const string Begin = "```nginx\n";
        var start = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var server = page[start..page.IndexOf("```", start, StringComparison.Ordinal)];
        // Its locations: port and certificate are those of this run.
        var text = server[server.IndexOf("location", StringComparison.Ordinal)..server.LastIndexOf('}')];
        Assert.That(text, Does.Contain("http://127.0.0.1:8081/"), "the dashboard's address in docs/reverse-proxy.md");
        return text.Replace("http://127.0.0.1:8081/", dashboard.ToString(), StringComparison.Ordinal);
    }

    private static string RepositoryRoot
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "Orders.sln")))
                folder = folder.Parent!;
            return folder.FullName;
        }
    }

    private async Task<bool> ListensAsync()
    {
        if (_process.HasExited)
            throw new AssertionException($"nginx ended: {await _process.StandardError.ReadToEndAsync()}");
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, Address.Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static X509Certificate2 Certify(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = DateTimeOffset.UtcNow;
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(Path.Combine(folder, "cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }
}
